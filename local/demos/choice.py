"""The choice between the ways to answer that a task compared, and what fine-tuning changed in chosen answers."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demos.summaries import LABELS
from local.errors import DataError
from local.results import Tables
from local.stage import LocalStage
from training.table_schemas import CANDIDATES, FINE_TUNED, FLOORS, MODELS

# A row of the table `candidates`, as Athena gives it: every value is text.
Row = Mapping[str, str | None]

_FAILED = "failed"
_COMPLETE = "complete"
_SHOWN = 3
_LONGEST_SHOWN = 700
_TYPES = {column.name: column.type for column in CANDIDATES.columns}
_READ: dict[str, Callable[[str], Any]] = {"double": float, "bigint": int, "boolean": "true".__eq__}


def show_candidates(console: Console, stage: LocalStage, task: str, run_id: str) -> dict[str, Any]:
    """Print what a run's comparison came to; what `.local/summary.json` holds of it. Nothing for a task without
    candidates.

    Raises:
        DataError: the run left no examples.
    """
    rows = read_candidates(Tables.of(stage), task, run_id)
    if not rows:
        return {}
    show_choice(console, rows)
    show_before_and_after(console, read_before_and_after(stage, task, run_id))
    return {"candidates": candidates_as_json(rows), "recommended": recommended(rows)}


def read_candidates(tables: Tables, task: str, run_id: str) -> list[dict[str, str | None]]:
    """The rows of a run, of each evaluation set the best first; what has no score comes last."""
    columns = ", ".join(column.name for column in CANDIDATES.columns)
    rows = tables.ask(f"SELECT {columns} FROM candidates WHERE task = '{task}' AND run_id = '{run_id}'")
    return sorted(
        rows, key=lambda row: (str(row["evaluation_set"]), -(_number(row["rouge_l"]) or -1.0), str(row["candidate"]))
    )


def read_before_and_after(stage: LocalStage, task: str, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """Evaluation set -> chosen examples, as Compare wrote them.

    Raises:
        DataError: the run left none.
    """
    s3 = stage.aws.client("s3")
    key = f"runs/{task}/{run_id}/comparison/before_and_after.json"
    try:
        body = s3.get_object(Bucket=stage.names.bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise DataError(f"run {run_id} left no {key}: look at its step Compare") from error
    chosen: dict[str, list[dict[str, Any]]] = json.loads(body)
    return chosen


def show_choice(console: Console, rows: Sequence[Row]) -> None:
    """Print the table of the choice, what did not answer everything and why, and what is recommended."""
    console.print(
        "The choice. R-L: ROUGE-L with its 95 % interval; vs ours: minus the fine-tuned model's on the same records;\n"
        "errors: answers with a clinical error that a rule finds. Seconds and dollars for 1,000 texts.",
        highlight=False,
    )
    for name in dict.fromkeys(str(row["evaluation_set"]) for row in rows):
        of_set = [row for row in rows if row["evaluation_set"] == name]
        ways = [row for row in of_set if row["candidate"] not in FLOORS]
        console.print(_table(name, ways, [row for row in of_set if row["candidate"] in FLOORS]))
        for row in ways:
            if row["status"] != _COMPLETE:
                _say(console, f"  {row['candidate']} {_status(row)}: {row['reason']}")
        console.print(f"{name}, by the rules of docs/choosing.md:", style="bold", highlight=False)
        for row in sorted(ways, key=lambda row: row["recommended"] != "true"):
            kind = "" if row["candidate"] in MODELS else f" ({row['kind']})"
            _say(console, f"  {_name(row)}{kind}: {row['verdict']}")
        best = next((row for row in ways if row["recommended"] == "true"), None)
        said = f"{name}: recommended is {_name(best)}." if best else f"{name}: nothing is recommended."
        console.print(said, style="bold", highlight=False, markup=False)


def show_before_and_after(console: Console, chosen: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Print the first examples of each set: the note, what was to be written, and both answers."""
    for name, examples in sorted(chosen.items()):
        for example in examples[:_SHOWN]:
            console.print(f"{name}, before and after fine-tuning ({example['why']}):", style="bold", markup=False)
            for label, text in (
                ("note", _short(str(example["input"]))),
                ("reference", example["reference"]),
                (f"before {example['rouge_l_pretrained']:.2f}", example["pretrained"]),
                (f"after {example['rouge_l_fine_tuned']:.2f}", example["fine_tuned"]),
            ):
                _say(console, f"  {label + ':':<14}{' '.join(str(text).split())}")


def candidates_as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with numbers and truth values as such, for `.local/summary.json`; without the time of the run."""
    return [{name: _typed(name, value) for name, value in row.items() if name != "started_at"} for row in rows]


def recommended(rows: Sequence[Row]) -> dict[str, str | None]:
    """Evaluation set -> what is recommended for it; None where nothing is."""
    found: dict[str, str | None] = {str(row["evaluation_set"]): None for row in rows}
    found.update({str(row["evaluation_set"]): row["candidate"] for row in rows if row["recommended"] == "true"})
    return found


def _table(evaluation_set: str, ways: Sequence[Row], floors: Sequence[Row]) -> Table:
    table = Table()
    table.add_column(evaluation_set, overflow="fold")
    for column in ("records", "R-L", "vs ours", "errors", "s", "$"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("needs", overflow="fold")
    for row in ways:
        _add_row(table, row)
    table.add_section()
    for row in floors:
        _add_row(table, row)
    return table


def _add_row(table: Table, row: Row) -> None:
    cells = (
        _name(row),
        f"{row['answered']}/{row['asked']}",
        _interval(row, "rouge_l", ".3f"),
        "" if row["candidate"] == FINE_TUNED else _interval(row, "against_fine_tuned", "+.3f"),
        _plain(row["clinical_errors"], ".0%"),
        _plain(row["seconds_per_1000"], ",.0f"),
        _plain(row["dollars_per_1000"], ",.2f"),
        _needs(row),
    )
    table.add_row(*(Text(cell) for cell in cells), style="bold" if row["recommended"] == "true" else None)


def _name(row: Row) -> str:
    return LABELS.get(str(row["candidate"]), str(row["candidate"]))


def _status(row: Row) -> str:
    answered = f"answered {row['answered']} of {row['asked']}"
    return _FAILED if row["status"] == _FAILED else answered


def _needs(row: Row) -> str:
    leaves = ["text leaves the account"] if row["leaves_account"] == "true" else []
    return "; ".join([*([row["needs"]] if row["needs"] else []), *leaves])


def _interval(row: Row, column: str, form: str) -> str:
    values = [_number(row[name]) for name in (column, f"{column}_low", f"{column}_high")]
    if any(value is None for value in values):
        return _plain(row[column], form)
    # Without the zero before the point: three numbers in a column that must not wrap.
    mean, low, high = (format(value, form).replace("0.", ".", 1) for value in values)
    return f"{mean} [{low}, {high}]"


def _plain(value: str | None, form: str) -> str:
    number = _number(value)
    return "" if number is None else format(number, form)


def _number(value: str | None) -> float | None:
    return float(value) if value else None


def _typed(name: str, value: str | None) -> Any:
    read = _READ.get(_TYPES[name], str)
    return None if value is None else read(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ... ({len(text)} characters)"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)
