"""Which label says that a text reports an event: each task has its own, and a query must be told."""

from collections.abc import Mapping
from dataclasses import replace

from stacks.dashboard.parts import DataSet

# Stands in a query for the positive label of the chosen task.
POSITIVE = "<positive label>"


def with_labels(data_set: DataSet, positive: Mapping[str, str]) -> DataSet:
    """The data set with `positive` (task -> its positive label) in the place of POSITIVE."""
    cases = " ".join(f"WHEN {_text(task)} THEN {_text(label)}" for task, label in positive.items())
    return replace(data_set, sql=data_set.sql.replace(POSITIVE, f"(CASE <<$task>> {cases} END)"))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
