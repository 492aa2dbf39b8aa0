"""The demo's data: the chest X-ray reports of the Indiana University collection (Open-i).

The reports come inside a package of the Python package index. They are read where they were downloaded to, below
`.local/`, and never become part of this project: their licence (CC BY-NC-ND 4.0) allows neither commercial use nor
sharing of changed copies.

Source: D. Demner-Fushman et al., "Preparing a collection of radiology examinations for distribution and retrieval",
JAMIA 2016. The package is torchxrayvision (Apache-2.0), which carries the reports unchanged.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.packaged_files import PackagedFiles, fetch
from local.whole_files import write_json_lines
from training.readers.openi_report import read_openi_report
from training.records import Place, Record, normalise

LICENCE = "CC BY-NC-ND 4.0 (creativecommons.org/licenses/by-nc-nd/4.0): read here, never shared further"
_PACKAGE = PackagedFiles(
    requirement="torchxrayvision==1.5.7",
    sha256="95f6c3475661f3515d4258deb0855bd5d1b1a56e0b65384251d3dd3fa61fac41",
    members=("torchxrayvision/data/NLMCXR_reports.tgz",),
)

# Of ten findings texts one goes to the evaluation set; a hundredth is kept for the question to the live endpoint.
_EVALUATION_SHARE = 0.10
_UNSEEN_SHARE = 0.01
_UNSEEN = "unseen.jsonl"


@dataclass(frozen=True)
class Report:
    """What the radiologist saw, and what the radiologist concluded."""

    findings: str
    impression: str


def example_files(folder: Path) -> tuple[Path, Path]:
    """Download the reports once, split them by their findings, and write training data and the evaluation set dev2.

    Raises:
        DataError: the download is not what it should be.
        CommandError: the package cannot be downloaded.
    """
    train, evaluation, unseen = folder / "train.jsonl", folder / "dev2.jsonl", folder / _UNSEEN
    if not (train.is_file() and evaluation.is_file() and unseen.is_file()):
        sides = _split(read_reports(folder))
        _write(train, sides["train"])
        _write(evaluation, sides["evaluation"])
        # Written last: its presence says that all is there.
        _write(unseen, [_longest_abnormal(sides["unseen"])])
    return train, evaluation


def unseen_report(folder: Path) -> Report:
    """A report that is in neither of the `example_files` of this folder."""
    report = json.loads((folder / _UNSEEN).read_text(encoding="utf-8"))
    return Report(report["findings"], report["impression"])


def read_reports(folder: Path) -> list[Record]:
    """Every report that has findings and an impression; downloaded into `folder` once.

    Raises:
        DataError: the download is not what it should be.
        CommandError: the package cannot be downloaded.
    """
    (archive,) = fetch(_PACKAGE, folder)
    return _read(archive)


def _read(archive: Path) -> list[Record]:
    """Every report that has findings and an impression."""
    records = []
    with tarfile.open(archive) as members:
        for member in members:
            stream = members.extractfile(member) if member.isfile() and member.name.endswith(".xml") else None
            if stream is not None:
                record = read_openi_report(stream.read(), Place(member=member.name))
                if isinstance(record, Record):
                    records.append(record)
    return records


def _split(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Send each findings text to one side, by its hash: the same text never stands on two."""
    sides: dict[str, list[Record]] = {"train": [], "evaluation": [], "unseen": []}
    for record in records:
        place = int(hashlib.sha256(normalise(record.input).encode()).hexdigest()[:8], 16) / 16**8
        if place < _UNSEEN_SHARE:
            side = "unseen"
        elif place < _UNSEEN_SHARE + _EVALUATION_SHARE:
            side = "evaluation"
        else:
            side = "train"
        sides[side].append(record)
    return sides


def _longest_abnormal(records: list[Record]) -> Record:
    """The report that shows most of what a model can do."""
    return max(
        (record for record in records if record.normal is False), key=lambda record: (len(record.input), record.input)
    )


def _write(path: Path, records: list[Record]) -> None:
    rows = (
        {"findings": record.input, "impression": record.target}
        | ({"normal": record.normal} if record.normal is not None else {})
        for record in records
    )
    write_json_lines(path, rows)
