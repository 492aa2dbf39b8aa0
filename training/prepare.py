"""Turn what was uploaded into clean training, validation and evaluation sets.

    python3 -m training.prepare --uploads uploads/radiology_impressions --output prepared
        --input-field findings --target-field impression

Reads `<uploads>/train/...`, `<uploads>/reviewed/...` and `<uploads>/eval/<set>/...`; writes `train/`, `validation/`,
`eval/<set>/`, `similar/` (an index of the train split), `quarantine/` and `report/report.json` below `<output>` (see
docs/architecture.md). With
`--jumpstart-prompt`, JumpStart's training script can read the train split too (training/jumpstart_split.py). With
`--positive-label` and `--negative-label` the targets are labels: other ones are malformed, every split has the same
share of each, and there is no index.

What lies under `reviewed/` is training data whose targets a person looked at: where the same text stands under `train/`
with another target, the reviewed one is kept and the other is dropped. As any other training record it is removed from
the evaluation sets; the report says how many records they lose to reviews.

What cannot be used is dealt with at three levels:

- A line or report that is malformed (not JSON, fields missing, too long) or incomplete (a report without findings)
  goes to quarantine. More than `max_bad_share` malformed ones among the training records fail the run. Incomplete
  ones never do: a third of MIMIC-CXR has no findings section, and that says nothing about the upload.
- A file that is no use as a whole (empty, another format, unsafe, not one record in it) is refused: the report names
  it with the reason, a warning says so, and the run goes on with the other files; without another one it fails.
  So a wrong file that still lies among the uploads does not stop the next good one.

Quarantine and report are written before the run fails.
"""

import base64
import codecs
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from training.errors import ArgumentError, RetrievalError, UnreadableFileError, UploadError
from training.job import run_job, save_arguments
from training.jumpstart_split import check_jumpstart_prompt, jumpstart_lines, write_template
from training.labels import Labels
from training.part_files import PartFiles
from training.phi import suspected_phi
from training.prepare_report import FileReport, PrepareReport
from training.readers import read_upload
from training.readers.fields import field_pairs
from training.readers.upload import Limits, Upload
from training.record_store import TRAINING, RecordStore, json_line
from training.records import Record, SetAside, printable
from training.retrieval import SimilarReports
from training.splits import read_split
from training.splitting import HOLDOUT, TRAIN, VALIDATION, split_training
from training.uploaded_files import uploaded_files

# A file whose first lines are all malformed is not read to its end: it is the wrong file.
GIVE_UP_AFTER = 1000
SIMILAR = "similar"
_OUTPUTS = (TRAIN, VALIDATION, "eval", SIMILAR, "quarantine", "report")
# Above this share of the training records, the largest group is worth a warning.
LARGE_GROUP = 0.5


@dataclass(frozen=True)
class Arguments:
    """Fractions are of the training records, in (0, 0.5]; `max_bad_share` is in [0, 1].

    `scratch` is where texts lie while the job runs (about the size of the unpacked upload); None means the system's
    temporary folder. `jumpstart_prompt` is the task's prompt template, for a task that JumpStart's script trains. The
    two labels are those of a task that classifies; None where targets are text.
    """

    uploads: Path
    output: Path
    input_field: str
    target_field: str
    validation_fraction: float = 0.05
    seed: int = 1
    max_bad_share: float = 0.01
    holdout_fraction: float = 0.1
    max_record_bytes: int = Limits.record_bytes
    max_archive_bytes: int = Limits.archive_bytes
    max_compression_ratio: int = Limits.ratio
    scratch: Path | None = None
    jumpstart_prompt: str | None = None
    positive_label: str | None = None
    negative_label: str | None = None
    message_file: Path | None = None

    def __post_init__(self) -> None:
        if self.jumpstart_prompt is not None:
            check_jumpstart_prompt(self.jumpstart_prompt)
        for name in ("validation_fraction", "holdout_fraction"):
            if not 0 < getattr(self, name) <= 0.5:
                raise ArgumentError(f"{name} must be above 0 and at most 0.5, got {getattr(self, name)}")
        if not 0 <= self.max_bad_share <= 1:
            raise ArgumentError(f"max_bad_share must be in [0, 1], got {self.max_bad_share}")
        if not self.input_field or not self.target_field or self.input_field == self.target_field:
            raise ArgumentError("input_field and target_field must be two different names")
        if (self.positive_label is None) != (self.negative_label is None):
            raise ArgumentError("positive_label and negative_label belong together: give both or neither")
        if self.labels is not None and self.jumpstart_prompt is not None:
            raise ArgumentError("jumpstart_prompt is for a task whose targets are text, not labels")

    @property
    def labels(self) -> Labels | None:
        if self.positive_label is None or self.negative_label is None:
            return None
        return Labels(self.positive_label, self.negative_label)

    @property
    def limits(self) -> Limits:
        return Limits(self.max_record_bytes, self.max_archive_bytes, self.max_compression_ratio)


def main(arguments: Arguments) -> None:
    """Read, judge, split, write.

    Raises:
        UploadError: the upload cannot be trained on; the message says which files and why.
    """
    used = [name for name in _OUTPUTS if any((arguments.output / name).glob("**/*.json*"))]
    if used:
        raise ArgumentError(f"the output folder already holds {', '.join(used)}; give an empty one")
    save_arguments(arguments, arguments.output / "report" / "arguments.json")
    report = PrepareReport()
    with (
        tempfile.TemporaryDirectory(prefix="prepare-", dir=arguments.scratch) as scratch,
        RecordStore(Path(scratch) / "records.sqlite", arguments.labels) as store,
    ):
        sets = _read_everything(arguments, store, report)
        try:
            report.judge(arguments.max_bad_share)
            _divide(arguments, store, sets, report)
            if arguments.labels is None:
                _index(arguments.output)
        except UploadError as error:
            report.error = str(error)
            raise
        finally:
            _write_report(report, arguments.output)


def _read_everything(arguments: Arguments, store: RecordStore, report: PrepareReport) -> dict[str, int]:
    """Every file into the store and the quarantine; returns evaluation set -> its number in the store."""
    sets: dict[str, int] = {}
    with PartFiles(arguments.output / "quarantine") as quarantine:
        for uploaded in uploaded_files(arguments.uploads, report.warnings):
            path, set_name = uploaded.path, uploaded.set_name
            source = TRAINING if set_name is None else sets.setdefault(set_name, len(sets) + 1)
            name = printable(path.relative_to(arguments.uploads).as_posix())
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            entry = FileReport(name, set_name, path.stat().st_size, sha256, uploaded.reviewed)
            report.files.append(entry)
            pairs = field_pairs(arguments.input_field, arguments.target_field)
            upload = Upload(path, name, pairs, arguments.limits, labels=arguments.labels)
            _read_file(upload, entry, source, store, quarantine)
            report.warnings += [f"{name}: {warning}" for warning in upload.warnings]
    return sets


def _read_file(
    upload: Upload,
    entry: FileReport,
    source: int,
    store: RecordStore,
    quarantine: PartFiles,
) -> None:
    before = store.count
    try:
        for item in read_upload(upload):
            if isinstance(item, Record):
                store.add(item, source, reviewed=entry.reviewed)
                entry.usable += 1
                entry.phi.update(suspected_phi(f"{item.input}\n{item.target}"))
                continue
            entry.count(item)
            quarantine.write(json_line(_quarantined(upload.name, item)))
            if entry.malformed == entry.records == GIVE_UP_AFTER:
                break
        if entry.records and entry.malformed == entry.records:
            raise UnreadableFileError(f"{upload.name}: holds no record: {entry.examples}")
    except UnreadableFileError as error:
        store.forget_after(before)
        entry.usable = 0
        entry.phi.clear()
        entry.refused = str(error)


def _quarantined(name: str, item: SetAside) -> dict[str, object]:
    """The row of the quarantine for one thing that was set aside."""
    row: dict[str, object] = {"file": name, "line": item.place.line, "reason": item.explanation}
    if item.place.member is not None:
        row["member"] = item.place.member
    if item.size is not None:
        row |= {"bytes": item.size, "sha256": item.sha256}
    content = item.content
    if isinstance(content, bytes):
        try:
            # The head of something long may end within a character; a whole line may not.
            text = codecs.getincrementaldecoder("utf-8")().decode(content, final=item.size is None)
        except UnicodeDecodeError:
            return row | {"content_base64": base64.b64encode(content).decode("ascii")}
        return row | {"content": text}
    return row | {"content": content}


def _divide(arguments: Arguments, store: RecordStore, sets: dict[str, int], report: PrepareReport) -> None:
    """Drop duplicates, what reviews overrule, and leaks; split the training records, write every part."""
    store.drop_duplicates()
    different = store.kept(TRAINING)
    report.duplicates = store.added(TRAINING) - different
    store.drop_overruled()
    report.overruled = different - store.kept(TRAINING)
    kept = _clean_evaluation_sets(store, sets, report)
    split = split_training(
        store,
        seed=arguments.seed,
        validation_fraction=arguments.validation_fraction,
        holdout_fraction=None if kept else arguments.holdout_fraction,
    )
    if split.largest_group > LARGE_GROUP * store.kept(TRAINING):
        report.warnings.append(
            f"one group of {split.largest_group} training records hangs together by texts or patients and cannot be "
            "divided: validation is of other kinds of reports than training"
        )
    report.train = _write_train(arguments, store.lines(TRAINING, TRAIN))
    report.validation = _write(arguments.output / VALIDATION, store.lines(TRAINING, VALIDATION))
    report.lengths = {side: store.lengths(TRAINING, side) for side in (TRAIN, VALIDATION)}
    for name in kept:
        report.evaluation[name] = _write(arguments.output / "eval" / name, store.lines(sets[name]))
        report.evaluation_lengths[name] = store.lengths(sets[name])
    if store.labels is not None:
        _count_labels(store, {name: sets[name] for name in kept}, report)
    else:
        _warn_of_long_targets(arguments, store, {name: sets[name] for name in kept}, report)
    if not kept:
        report.holdout = _write(arguments.output / "eval" / HOLDOUT, store.lines(TRAINING, HOLDOUT))
        report.evaluation[HOLDOUT] = report.holdout
        report.evaluation_lengths[HOLDOUT] = store.lengths(TRAINING, HOLDOUT)
        report.warnings.append(
            f"there is no evaluation set: {split.holdout} training records were set aside as evaluation set {HOLDOUT}"
        )


def _count_labels(store: RecordStore, sets: Mapping[str, int], report: PrepareReport) -> None:
    """How many records of each label every split has; and a warning of texts that have both."""
    sides = (TRAIN, VALIDATION) if sets else (TRAIN, VALIDATION, HOLDOUT)
    report.labels = {side: store.label_counts(TRAINING, side) for side in sides}
    report.labels |= {f"eval/{name}": store.label_counts(source) for name, source in sets.items()}
    if both := store.labelled_twice(TRAINING):
        report.warnings.append(f"{both} training texts are there with both labels: one of the two must be wrong")


def _warn_of_long_targets(
    arguments: Arguments, store: RecordStore, sets: Mapping[str, int], report: PrepareReport
) -> None:
    """A summary that is longer than what it summarises may be one of two columns in the other's place."""
    sources = {"training": TRAINING} | {f"evaluation set {name}": source for name, source in sets.items()}
    for where, source in sources.items():
        if longer := store.longer_targets(source):
            report.warnings.append(
                f"{where}: in {longer} of {store.kept(source)} records {arguments.target_field} has more words than "
                f"{arguments.input_field}; they are used as they are"
            )


def _index(output: Path) -> None:
    """Write the index of the train split, among which similar records are found."""
    try:
        SimilarReports.build(read_split(output / TRAIN)).save(output / SIMILAR)
    except RetrievalError as error:
        raise UploadError(str(error)) from error


def _clean_evaluation_sets(store: RecordStore, sets: dict[str, int], report: PrepareReport) -> list[str]:
    """Drop what training records leak into the evaluation sets; returns the sets that still have records."""
    before = {name: store.kept(source) for name, source in sets.items()}
    report.warnings += [
        f"{lost} records of evaluation set {name} were removed because their texts were reviewed and are training data "
        "now: its scores are not over the same records as before"
        for name, source in sets.items()
        if (lost := store.leaked_by_reviews(source))
    ]
    store.drop_leaked()
    after = {name: store.kept(source) for name, source in sets.items()}
    report.evaluation_duplicates = {name: store.added(sets[name]) - before[name] for name in sets}
    report.removed = {name: before[name] - after[name] for name in sets}
    report.warnings += [
        f"evaluation set {name} is left out: none of its records is usable and apart from the training data"
        for name in sets
        if not after[name]
    ]
    return [name for name in sets if after[name]]


def _write_train(arguments: Arguments, lines: Iterable[bytes]) -> int:
    folder = arguments.output / TRAIN
    if arguments.jumpstart_prompt is None:
        return _write(folder, lines)
    write_template(folder, arguments.jumpstart_prompt)
    return _write(folder, jumpstart_lines(lines))


def _write(folder: Path, lines: Iterable[bytes]) -> int:
    with PartFiles(folder) as parts:
        for line in lines:
            parts.write(line)
    return parts.lines


def _write_report(report: PrepareReport, output: Path) -> None:
    content = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    unfinished = output / "report" / ".report.json.unfinished"
    unfinished.write_text(content + "\n", encoding="utf-8")
    unfinished.replace(output / "report" / "report.json")
    print(f"prepared: {json.dumps(report.as_json()['counts'])}", flush=True)


if __name__ == "__main__":
    run_job(Arguments, main)
