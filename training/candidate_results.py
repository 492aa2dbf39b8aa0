"""What the candidates left behind, read so that one that failed, or left nonsense, fails alone and by name."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.candidates.report import CANDIDATE, COMPLETE, FAILED, FAILURES, PARTIAL, has_gpu
from training.errors import EvaluationError
from training.evaluation_answers import ANSWERING
from training.evaluation_inputs import EvaluationRecord, file_lines, read_predictions, text_of

_STATUSES = (COMPLETE, PARTIAL, FAILED)
# Before a candidate's name in the name of its folder (stacks/pipeline/comparison.py).
_INPUT = "candidate-"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What answering takes, as measured; None where nobody knows. `needs` are such as GPU, network, a licence."""

    seconds_per_1000: float | None = None
    dollars_per_1000: float | None = None
    needs: tuple[str, ...] = ()
    leaves_account: bool = False


@dataclass(frozen=True, kw_only=True)
class CandidateResult:
    """What one candidate answered: of each set, how many records it was asked, id -> answer, and of the records without
    one how many have each reason. `failure` says why it as a whole failed, None if it did not."""

    name: str
    kind: str
    failure: str | None
    cost: Cost
    asked: Mapping[str, int]
    answers: Mapping[str, Mapping[str, str]]
    failures: Mapping[str, Counter[str]] = field(default_factory=dict)


def read_candidate(folder: Path, sets: Mapping[str, Sequence[EvaluationRecord]]) -> CandidateResult:
    """What lies in a candidate's folder, as training/candidates/report.py writes it, of these evaluation sets.

    One whose files are missing or do not fit together is a failed candidate, called like its folder if its name is not
    known.
    """
    try:
        card = _read_card(folder)
    except EvaluationError as error:
        return _failed(folder.name.removeprefix(_INPUT), "unknown", str(error), sets)
    try:
        return _read(folder, card, sets)
    except EvaluationError as error:
        return _failed(card["name"], card["kind"], str(error), sets)


def machine_cost(folder: Path, dollars_per_hour: float | None, instance_type: str | None) -> Cost:
    """The cost of one of the task's own models, by its `answering.json` (training.generate) and its machine.

    Raises:
        EvaluationError: `answering.json` is not what Generate writes.
    """
    needs = ("GPU",) if has_gpu(instance_type) else ()
    path = folder / ANSWERING
    if not path.exists():
        return Cost(needs=needs)
    card = _json_object(path)
    seconds, records = _number(card, "seconds"), _number(card, "records")
    if not records or seconds is None:
        return Cost(needs=needs)
    each = 1000 * seconds / records
    dollars = None if dollars_per_hour is None else each * dollars_per_hour / 3600
    return Cost(seconds_per_1000=each, dollars_per_1000=dollars, needs=needs)


def _failed(name: str, kind: str, reason: str, sets: Mapping[str, Sequence[EvaluationRecord]]) -> CandidateResult:
    return CandidateResult(
        name=name,
        kind=kind,
        failure=reason,
        cost=Cost(),
        asked={each: len(records) for each, records in sets.items()},
        answers={each: {} for each in sets},
        failures={each: Counter({reason: len(records)}) for each, records in sets.items()},
    )


def _read(folder: Path, card: Mapping[str, Any], sets: Mapping[str, Sequence[EvaluationRecord]]) -> CandidateResult:
    name, failure = card["name"], card["reason"] if card["status"] == FAILED else None
    answers = {each: _answers(folder, name, each, records) for each, records in sets.items()}
    listed = _failures(folder)
    asked, failures = {}, {}
    for each, records in sets.items():
        asked[each] = _asked(card, each, len(records))
        failures[each] = listed.get(each, Counter())
        silent = asked[each] - len(answers[each]) - failures[each].total()
        if silent < 0:
            raise EvaluationError(f"set {each}: it answered or refused more records than it was asked")
        if silent:
            failures[each][card["reason"] or "it was not answered, and nothing says why"] += silent
    return CandidateResult(
        name=name,
        kind=card["kind"],
        failure=failure,
        cost=Cost(
            seconds_per_1000=_number(card, "seconds_per_1000"),
            dollars_per_1000=_number(card, "dollars_per_1000"),
            needs=tuple(card["needs"]),
            leaves_account=card["leaves_account"],
        ),
        asked=asked,
        answers=answers,
        failures=failures,
    )


def _answers(folder: Path, name: str, evaluation_set: str, records: Sequence[EvaluationRecord]) -> dict[str, str]:
    answers = read_predictions(folder, evaluation_set, name)
    foreign = len(answers.keys() - {record.id for record in records})
    if foreign:
        raise EvaluationError(f"set {evaluation_set}: {foreign} of its answers are to no record of the set")
    return answers


def _failures(folder: Path) -> dict[str, Counter[str]]:
    path = folder / FAILURES
    found: dict[str, Counter[str]] = {}
    for place, row in file_lines(path, path.name) if path.exists() else ():
        found.setdefault(text_of(place, row, "set"), Counter())[text_of(place, row, "reason")] += 1
    return found


def _asked(card: Mapping[str, Any], evaluation_set: str, records: int) -> int:
    """One that failed before it looked at a set was to answer all of it."""
    counts = card["sets"].get(evaluation_set, {"asked": records})
    asked = counts.get("asked") if isinstance(counts, dict) else None
    if not isinstance(asked, int) or not 0 <= asked <= records:
        raise EvaluationError(f"candidate.json: set {evaluation_set} has no sound number of records asked")
    return asked


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CANDIDATE
    if not path.exists():
        raise EvaluationError("it left nothing behind: there is no candidate.json")
    card = _json_object(path)
    kinds = {"name": str, "kind": str, "sets": dict, "needs": list, "leaves_account": bool}
    wrong = [name for name, kind in kinds.items() if not isinstance(card.get(name), kind)]
    if not isinstance(card.get("reason"), str | None) or card.get("status") not in _STATUSES:
        wrong.append("status or reason")
    if wrong:
        raise EvaluationError(f"candidate.json: {', '.join(wrong)} missing or of another type")
    if card["status"] == FAILED and not card["reason"]:
        raise EvaluationError("it failed and does not say why")
    return card


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EvaluationError(f"{path.name} is not JSON") from error
    if not isinstance(content, dict):
        raise EvaluationError(f"{path.name} is not a JSON object")
    return content


def _number(card: Mapping[str, Any], name: str) -> float | None:
    value = card.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12):
        raise EvaluationError(f"{name} is not a number that can be")
    return value
