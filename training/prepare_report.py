"""What Prepare says about its run: one entry a file, the counts, and what a reader must know."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from training.errors import UploadError
from training.record_store import Lengths
from training.records import Kind, Place, SetAside

_EXAMPLES = 3
_FILES_NAMED = 3


@dataclass
class FileReport:
    """One uploaded file. `set_name` is its evaluation set, None for training files; reviewed ones are such too."""

    name: str
    set_name: str | None
    size: int
    sha256: str
    reviewed: bool = False
    usable: int = 0
    refused: str | None = None
    set_aside: Counter[Kind] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    phi: Counter[str] = field(default_factory=Counter)
    _examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        return self.set_aside.total()

    @property
    def examples(self) -> str:
        """Where the first malformed records are, and why: `line 3, line 9: not JSON; line 12: fields missing`."""
        return "; ".join(f"{', '.join(places)}: {reason}" for reason, places in self._examples.items())

    @property
    def malformed(self) -> int:
        return self.set_aside[Kind.MALFORMED]

    @property
    def records(self) -> int:
        return self.usable + self.quarantined

    def count(self, item: SetAside) -> None:
        """Count what was set aside; the first few malformed ones are remembered by place and reason."""
        self.set_aside[item.kind] += 1
        self.reasons[item.reason] += 1
        if item.kind is Kind.MALFORMED and self.malformed <= _EXAMPLES:
            self._examples.setdefault(item.explanation, []).append(_short(item.place))

    def as_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": self.name,
            "bytes": self.size,
            "sha256": self.sha256,
            "records": self.records,
            "quarantined": self.quarantined,
        }
        return entry | ({"refused": self.refused} if self.refused else {})


@dataclass
class PrepareReport:
    """Everything in report.json. Counts of records; `removed` and `evaluation_duplicates` by evaluation set.

    `overruled` training records had another target than a reviewed one of the same text.

    `lengths` and `evaluation_lengths` (by evaluation set) hold the histograms of each split that was written; `labels`
    is split -> label -> records, empty for a task whose targets are text.
    """

    files: list[FileReport] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    train: int = 0
    validation: int = 0
    holdout: int = 0
    duplicates: int = 0
    overruled: int = 0
    evaluation: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    evaluation_duplicates: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, Lengths] = field(default_factory=dict)
    evaluation_lengths: dict[str, Lengths] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    error: str | None = None

    @property
    def training_files(self) -> list[FileReport]:
        return [file for file in self.files if file.set_name is None]

    @property
    def evaluation_files(self) -> dict[str, list[FileReport]]:
        """Evaluation set -> its files."""
        sets: dict[str, list[FileReport]] = {}
        for file in self.files:
            if file.set_name is not None:
                sets.setdefault(file.set_name, []).append(file)
        return sets

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names and SHA-256 of all files, sorted: the same for the same upload."""
        listing = "".join(sorted(f"{file.name}\0{file.sha256}\n" for file in self.files))
        return hashlib.sha256(listing.encode()).hexdigest()

    def judge(self, max_bad_share: float) -> None:
        """Decide from what was read whether the run goes on, and warn of what it goes on without.

        Raises:
            UploadError: no training record is usable, or too large a share of them is malformed.
        """
        refused = [file for file in self.files if file.refused]
        self.warnings += [f"left out: {file.refused}" for file in refused]
        training = [file for file in self.training_files if not file.refused]
        if not self.training_files:
            raise UploadError("no file lies under train/; upload reports there")
        if not training:
            refused_training = [file for file in refused if file.set_name is None]
            raise UploadError(f"no training file can be used: {_reasons(refused_training)}")
        if not any(file.usable for file in training):
            counted = _reason_counts(self.training_files).most_common(_FILES_NAMED)
            reasons = ", ".join(f"{reason}: {count}" for reason, count in counted)
            raise UploadError(f"not one of the training records can be used ({reasons}); see quarantine/")
        self._limit_malformed(training, max_bad_share)
        self._warn_of_quarantine()
        self._warn_of_phi()

    def _limit_malformed(self, training: list[FileReport], max_bad_share: float) -> None:
        records = sum(file.records for file in training)
        bad = sum(file.malformed for file in training)
        if bad > max_bad_share * records:
            worst = max(training, key=lambda file: file.malformed)
            raise UploadError(
                f"{bad} of {records} training records ({bad / records:.2%}) are malformed, more than max_bad_share "
                f"{max_bad_share:.2%} allows; most in {worst.name} ({worst.malformed}): "
                f"{worst.examples}; all of them are in quarantine/"
            )

    def _warn_of_quarantine(self) -> None:
        evaluation = [file for file in self.files if file.set_name is not None]
        for where, files in (("training", self.training_files), ("evaluation", evaluation)):
            total = sum(file.records for file in files)
            for kind in Kind:
                if count := sum(file.set_aside[kind] for file in files):
                    self.warnings.append(f"{count} of {total} {where} records are {kind.value}: see quarantine/")

    def _warn_of_phi(self) -> None:
        phi: Counter[str] = Counter()
        for file in self.files:
            phi.update(file.phi)
        if phi:
            kinds = ", ".join(f"{kind}: {count}" for kind, count in phi.most_common())
            self.warnings.append(
                f"records may name persons ({kinds}): see phi_suspected in report.json; nothing was removed"
            )

    def as_json(self) -> dict[str, Any]:
        training = self.training_files
        phi = {file.name: dict(sorted(file.phi.items())) for file in self.files if file.phi}
        return {
            "counts": {
                "uploaded": sum(file.records for file in training),
                "train": self.train,
                "validation": self.validation,
                "holdout": self.holdout,
                "quarantined": sum(file.quarantined for file in training),
                "duplicates": self.duplicates,
                "overruled": self.overruled,
                "reviewed": sum(file.usable for file in training if file.reviewed),
                "eval": self.evaluation,
            },
            "removed_from_evaluation": self.removed,
            "duplicates_in_evaluation": self.evaluation_duplicates,
            "quarantine_reasons": {
                "training": dict(_reason_counts(training).most_common()),
                "evaluation": {
                    name: dict(_reason_counts(files).most_common()) for name, files in self.evaluation_files.items()
                },
            },
            **({"labels": self.labels} if self.labels else {}),
            "lengths": {"training": self.lengths, "evaluation": self.evaluation_lengths},
            "fingerprint": self.fingerprint,
            "files": [file.as_json() for file in self.files],
            "phi_suspected": phi,
            "warnings": self.warnings,
            "error": self.error,
        }


def _reason_counts(files: Iterable[FileReport]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(file.reasons)
    return counts


def _short(place: Place) -> str:
    text = str(place)
    return text if len(text) <= 80 else f"{text[:40]}...{text[-37:]}"


def _reasons(files: list[FileReport]) -> str:
    shown = "; ".join(file.refused or "" for file in files[:_FILES_NAMED])
    return shown + (f"; and {len(files) - _FILES_NAMED} more" if len(files) > _FILES_NAMED else "")
