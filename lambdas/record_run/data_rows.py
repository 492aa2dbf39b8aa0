"""The rows of `data_flow` and of `lengths` that an ended execution makes: what became of the uploaded records."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdas.record_run.execution import Execution
from lambdas.run_tables import RunRow
from training.table_schemas import (
    DUPLICATE,
    HELD_OUT,
    OVERRULED,
    QUARANTINED,
    SCORED,
    TRAINED_ON,
    TRAINING_TEXT,
    VALIDATED_ON,
)

# (outcome, reason, records)
_Flow = tuple[str, str | None, int]


@dataclass(frozen=True, kw_only=True)
class DataFlowRow(RunRow):
    """One row of `data_flow`; `evaluation_set` None means training data."""

    evaluation_set: str | None
    outcome: str
    reason: str | None
    records: int


@dataclass(frozen=True, kw_only=True)
class LengthsRow(RunRow):
    """One row of `lengths`; `evaluation_set` None means training data."""

    evaluation_set: str | None
    split: str
    field: str
    words_from: int
    records: int


def data_flow_rows(
    execution: Execution, report: dict[str, Any] | None, evaluation: dict[str, Any] | None
) -> list[DataFlowRow]:
    """What is known of where records went; nothing without Prepare's report, and nothing was scored without Evaluate's.

    Raises:
        KeyError: a report lacks what docs/architecture.md promises.
    """
    if report is None:
        return []
    scored: dict[str, int] = evaluation["counts"]["eval"] if evaluation is not None else {}
    uploaded = report["quarantine_reasons"]["evaluation"]
    flows: list[tuple[str | None, Iterator[_Flow]]] = [
        (None, _of_training_data(report)),
        *((name, _of_evaluation_set(report, scored, name)) for name in sorted(uploaded.keys() | scored.keys())),
    ]
    return [
        DataFlowRow(
            execution.run_id,
            execution.started_at,
            evaluation_set=evaluation_set,
            outcome=outcome,
            reason=reason,
            records=records,
        )
        for evaluation_set, flow in flows
        for outcome, reason, records in flow
        if records
    ]


def length_rows(execution: Execution, report: dict[str, Any] | None) -> list[LengthsRow]:
    """The histograms of Prepare's report; none where it did not get as far as to split the records.

    Raises:
        KeyError: the report lacks what docs/architecture.md promises.
    """
    if report is None:
        return []
    lengths = report["lengths"]
    splits = [
        *((None, name, fields) for name, fields in lengths["training"].items()),
        *((name, name, fields) for name, fields in lengths["evaluation"].items()),
    ]
    return [
        LengthsRow(
            execution.run_id,
            execution.started_at,
            evaluation_set=evaluation_set,
            split=split,
            field=field,
            words_from=int(words),
            records=records,
        )
        for evaluation_set, split, fields in splits
        for field, bins in fields.items()
        for words, records in bins.items()
    ]


def _of_training_data(report: dict[str, Any]) -> Iterator[_Flow]:
    counts = report["counts"]
    yield TRAINED_ON, None, counts["train"]
    yield VALIDATED_ON, None, counts["validation"]
    yield HELD_OUT, None, counts["holdout"]
    yield DUPLICATE, None, counts["duplicates"]
    yield OVERRULED, None, counts["overruled"]
    yield from _quarantined(report["quarantine_reasons"]["training"])


def _of_evaluation_set(report: dict[str, Any], scored: dict[str, int], name: str) -> Iterator[_Flow]:
    """The set `holdout` comes out of the training data: nothing was uploaded for it, so it has records scored alone."""
    yield SCORED, None, scored.get(name, 0)
    yield TRAINING_TEXT, None, report["removed_from_evaluation"].get(name, 0)
    yield DUPLICATE, None, report["duplicates_in_evaluation"].get(name, 0)
    yield from _quarantined(report["quarantine_reasons"]["evaluation"].get(name, {}))


def _quarantined(reasons: dict[str, int]) -> Iterator[_Flow]:
    for reason, records in reasons.items():
        yield QUARANTINED, reason, records
