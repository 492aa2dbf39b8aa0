"""What Evaluate reads: Prepare's evaluation sets and report, the models' predictions, and the training curve."""

import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from training.errors import EvaluationError
from training.evaluation_answers import LONG, PART
from training.records import is_encodable

TRAINING_OUTPUT = "output.tar.gz"
TRAINING_CURVE_FILE, TRAINING_WARNINGS_FILE = "training_curve.jsonl", "training_warnings.jsonl"
# A curve is some 150 bytes a logged step, so this is hundreds of thousands of steps.
_CURVE_BYTES_LIMIT = 64 * 2**20
_IDS_NAMED = 3

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class LongInput:
    """An input of `tokens` with the prompt, which is more than the model reads at once: it was read in so many
    `pieces`, or refused, with 0."""

    tokens: int
    pieces: int


@dataclass(frozen=True)
class EvaluationRecord:
    """One record of an evaluation set. `normal` is the upload's own label, where it has one."""

    id: str
    input: str
    target: str
    normal: bool | None


def read_report(prepared: Path) -> dict[str, Any]:
    """Prepare's report.

    Raises:
        EvaluationError: it is missing or not a report.
    """
    path = prepared / "report" / "report.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        parts = (report["counts"]["eval"], report["removed_from_evaluation"], report["fingerprint"], report["warnings"])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            "report/report.json of Prepare is missing or not its report; run Prepare again"
        ) from error
    if not all(isinstance(part, kind) for part, kind in zip(parts, (dict, dict, str, list), strict=True)):
        raise EvaluationError("report/report.json of Prepare is not its report; run Prepare again")
    return report


def read_evaluation_sets(prepared: Path, counts: Mapping[str, int]) -> dict[str, list[EvaluationRecord]]:
    """The evaluation sets that hold records, in order of their names; `counts` is what Prepare's report says of them.

    Raises:
        EvaluationError: a set holds another number of records than reported, an id twice, or a line that is no record;
            or there is no record in any set.
    """
    sets = _read_sets(prepared / "eval", counts)
    for name, records in sets.items():
        if len(records) != counts.get(name):
            raise EvaluationError(
                f"evaluation set {name}: {len(records)} records found, but Prepare's report says {counts.get(name)}"
            )
    return _with_records(sets)


def read_sets(folder: Path) -> dict[str, list[EvaluationRecord]]:
    """The evaluation sets in a folder that hold records, in order of their names.

    Raises:
        EvaluationError: a set holds an id twice or a line that is no record; or there is no record in any set.
    """
    return _with_records(_read_sets(folder, ()))


def read_predictions(folder: Path, evaluation_set: str, model: str) -> dict[str, str]:
    """What `model` answered on one evaluation set: id -> prediction. Empty where the set was not asked.

    Raises:
        EvaluationError: a line is no prediction, or an id stands twice.
    """
    what = f"predictions of the {model} model on set {evaluation_set}"
    rows = [
        (text_of(place, row, "id"), text_of(place, row, "prediction"))
        for place, row in folder_lines(folder / evaluation_set, what)
    ]
    refuse_repeated(what, [record_id for record_id, _ in rows])
    return dict(rows)


def sets_answered(folder: Path) -> set[str]:
    """Names of the evaluation sets that a folder of predictions holds answers for."""
    return {path.parent.name for path in folder.glob("*/part-*.jsonl") if path.stat().st_size}


def matched_predictions(
    predictions: Mapping[str, Answer], records: Sequence[EvaluationRecord], evaluation_set: str, model: str
) -> list[Answer]:
    """The predictions (id -> text or probability) in the order of `records`.

    Raises:
        EvaluationError: they are not of exactly these records.
    """
    missing = [record.id for record in records if record.id not in predictions]
    if len(missing) == len(records):
        raise EvaluationError(f"the {model} model has no predictions for evaluation set {evaluation_set}")
    extra = predictions.keys() - {record.id for record in records}
    if missing or extra:
        raise EvaluationError(
            f"evaluation set {evaluation_set}: predictions of the {model} model do not match its {len(records)} "
            f"records: {len(missing)} missing{_some(missing)}, {len(extra)} of no record{_some(sorted(extra))}"
        )
    return [predictions[record.id] for record in records]


def read_long_inputs(folder: Path, evaluation_set: str, model: str) -> list[LongInput]:
    """The inputs of one evaluation set that were longer than `model` reads at once.

    Raises:
        EvaluationError: a line does not say so of one.
    """
    what = f"long inputs of the {model} model on set {evaluation_set}"
    rows = folder_lines(folder / evaluation_set, what, LONG)
    try:
        return [LongInput(int(row["tokens"]), int(row["pieces"])) for _, row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise EvaluationError(f"{what}: tokens or pieces are missing or not numbers") from error


def read_training_curve(training_output: Path) -> Iterator[dict[str, Any]]:
    """Rows of `training_curve.jsonl` out of the training job's `output.tar.gz`, which is searched below the folder.

    Raises:
        EvaluationError: there is not exactly one archive, or no readable curve in it.
    """
    return _training_rows(training_output, TRAINING_CURVE_FILE, needed=True)


def read_training_warnings(training_output: Path) -> list[str]:
    """What the training script warned of, out of the same archive; nothing where it left no such file.

    Raises:
        EvaluationError: there is not exactly one archive, it is damaged, or a line is no warning.
    """
    rows = _training_rows(training_output, TRAINING_WARNINGS_FILE, needed=False)
    return [text_of(TRAINING_WARNINGS_FILE, row, "warning") for row in rows]


def _training_rows(training_output: Path, name: str, *, needed: bool) -> Iterator[dict[str, Any]]:
    """Nothing is unpacked: the archive is read as a stream, and only a regular file of that name is looked into."""
    archives = sorted(training_output.rglob(TRAINING_OUTPUT))
    if len(archives) != 1:
        raise EvaluationError(f"{len(archives)} files {TRAINING_OUTPUT} in the training output, there must be one")
    try:
        yield from _archived_rows(archives[0], name, needed=needed)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise EvaluationError(f"{TRAINING_OUTPUT} cannot be read: {type(error).__name__}") from error


def _archived_rows(archive: Path, name: str, *, needed: bool) -> Iterator[dict[str, Any]]:
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            if PurePosixPath(member.name).name != name or not member.isfile():
                continue
            if member.size > _CURVE_BYTES_LIMIT:
                raise EvaluationError(f"{name} is {member.size} bytes, more than {_CURVE_BYTES_LIMIT}")
            content = tar.extractfile(member)
            assert content is not None  # it is a regular file
            yield from (row for _, row in _json_lines(content, name))
            return
    if needed:
        raise EvaluationError(f"{TRAINING_OUTPUT} holds no {name}")


def _read_sets(folder: Path, names: Iterable[str]) -> dict[str, list[EvaluationRecord]]:
    """Every set in the folder and of these names."""
    found = {each.name for each in folder.glob("*") if each.is_dir()}
    sets = {name: _read_set(folder / name) for name in sorted(found.union(names))}
    for name, records in sets.items():
        refuse_repeated(f"evaluation set {name}", [record.id for record in records])
    return sets


def _with_records(sets: Mapping[str, list[EvaluationRecord]]) -> dict[str, list[EvaluationRecord]]:
    if not any(sets.values()):
        raise EvaluationError("no evaluation set holds a record; upload one under eval/<set>/")
    return {name: records for name, records in sets.items() if records}


def _read_set(folder: Path) -> list[EvaluationRecord]:
    return [
        EvaluationRecord(
            text_of(place, row, "id"), text_of(place, row, "input"), text_of(place, row, "target"), _label(place, row)
        )
        for place, row in folder_lines(folder, f"evaluation set {folder.name}")
    ]


def folder_lines(folder: Path, what: str, kind: str = PART) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a folder's parts: its place, for messages, and its object. `what` names the folder in them, `kind`
    is how their names begin.

    Raises:
        EvaluationError: a line is not a JSON object.
    """
    for path in sorted(folder.glob(f"{kind}*.jsonl")):
        yield from file_lines(path, f"{what}, {path.name}")


def file_lines(path: Path, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a file: its place, for messages, and its object.

    Raises:
        EvaluationError: a line is not a JSON object.
    """
    with path.open("rb") as lines:
        yield from _json_lines(lines, what)


def _json_lines(lines: Iterable[bytes], what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place, for messages, and its object."""
    for number, line in enumerate(lines, start=1):
        place = f"{what}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise EvaluationError(f"{place} is not JSON") from error
        if not isinstance(row, dict):
            raise EvaluationError(f"{place} is not a JSON object")
        yield place, row


def text_of(place: str, row: Mapping[str, Any], name: str) -> str:
    """The text that a line has under `name`.

    Raises:
        EvaluationError: there is none.
    """
    value = row.get(name)
    if not isinstance(value, str) or not is_encodable(value):
        raise EvaluationError(f"{place}: {name} is missing or not a text")
    return value


def _label(place: str, row: Mapping[str, Any]) -> bool | None:
    label = row.get("normal")
    if label is not None and not isinstance(label, bool):
        raise EvaluationError(f"{place}: normal is not true, false or null")
    return label


def refuse_repeated(what: str, ids: Sequence[str]) -> None:
    """Check that no id stands twice.

    Raises:
        EvaluationError: one does; `what` says where.
    """
    repeated = sorted(record_id for record_id, count in Counter(ids).items() if count > 1)
    if repeated:
        raise EvaluationError(f"{what}: {len(repeated)} ids stand more than once{_some(repeated)}")


def _some(ids: Sequence[str]) -> str:
    named = ", ".join(ids[:_IDS_NAMED])
    return f" ({named}{', ...' if len(ids) > _IDS_NAMED else ''})" if ids else ""
