from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training import tables
from training.table_schemas import PREDICTIONS, RUNS, SCORES, TABLES, TRAINING_CURVE, Table
from training.tables import TableError, arrow_schema, month_of, partition_folder, write_table

# What Athena reads each of its types from.
STORED_AS = {
    "string": "BYTE_ARRAY",
    "bigint": "INT64",
    "int": "INT32",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "INT64",
}
VALUES = {
    "string": "Kein Erguß – 3 µm",
    "bigint": 2**40,
    "int": 7,
    "double": 0.25,
    "boolean": True,
    "timestamp": datetime(2026, 3, 1, 0, 30, 5, 123_999, tzinfo=timezone(timedelta(hours=2))),
}


def row_of(table: Table, **values: Any) -> dict[str, Any]:
    return {column.name: VALUES[column.type] for column in table.columns} | values


def curve(step: Any, **values: Any) -> dict[str, Any]:
    row = {"step": step, "epoch": 0.5, "seconds": 1.0, "train_loss": 2.0, "validation_loss": None, "learning_rate": 0.1}
    return row | values


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_file_has_exactly_the_described_columns_and_types(table: Table, tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", table, [row_of(table), dict.fromkeys(table.column_names)])
    stored = pq.ParquetFile(tmp_path / "t.parquet").schema
    assert [(stored.column(i).name, stored.column(i).physical_type) for i in range(len(stored.names))] == [
        (column.name, STORED_AS[column.type]) for column in table.columns
    ]
    read = pq.ParquetFile(tmp_path / "t.parquet").read()
    assert read.schema.equals(arrow_schema(table))
    first, second = read.to_pylist()
    assert all(value is None for value in second.values())
    # A moment is kept in UTC, to the millisecond, without a zone.
    stored_moment = datetime(2026, 2, 28, 22, 30, 5, 123_000)
    assert first == {k: stored_moment if isinstance(v, datetime) else v for k, v in row_of(table).items()}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_glue_takes_the_comments(table: Table) -> None:
    assert len(table.comment) <= 2048
    assert {column.name: len(column.comment) for column in table.columns if len(column.comment) > 255} == {}


def test_timestamps_are_milliseconds_not_tied_to_a_zone(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", RUNS, [row_of(RUNS)])
    column = pq.ParquetFile(tmp_path / "t.parquet").schema.column(RUNS.column_names.index("started_at"))
    assert str(column.logical_type).startswith("Timestamp(isAdjustedToUTC=false, timeUnit=milliseconds")


def test_compression_is_one_that_lambda_can_write(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", TRAINING_CURVE, [curve(1)])
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {"SNAPPY"}


def test_rows_are_written_in_groups_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_A_GROUP", 4)
    held = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal held
        for step in range(1, 11):
            held = step
            yield curve(step)

    written: list[int] = []
    record_batch = pa.record_batch
    monkeypatch.setattr(pa, "record_batch", lambda *a, **k: written.append(held) or record_batch(*a, **k))
    assert write_table(tmp_path / "t.parquet", TRAINING_CURVE, rows()) == 10
    assert written == [4, 8, 10]
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [4, 4, 2]
    assert file.read().column("step").to_pylist() == list(range(1, 11))


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(tmp_path / name, SCORES, [row_of(SCORES), row_of(SCORES, std=None)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_without_rows_is_a_file_with_columns(tmp_path: Path) -> None:
    assert write_table(tmp_path / "t.parquet", SCORES, []) == 0
    assert pq.read_table(tmp_path / "t.parquet").column_names == list(SCORES.column_names)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([curve(1), {"step": 2}], "row 2: lacks ['epoch', "),
        ([curve(1, loss=1.0)], "has also ['loss']"),
        ([curve(1, epoch="a secret text")], "epoch is not double"),
        ([curve(1.5)], "step is not int64"),
        ([curve(2**70)], "step is not int64"),
    ],
)
def test_rows_that_do_not_fit_are_refused_without_quoting_them(
    rows: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as caught:
        write_table(tmp_path / "t.parquet", TRAINING_CURVE, rows)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert not (tmp_path / "t.parquet").exists()


def test_half_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="prediction is not string"):
        write_table(tmp_path / "t.parquet", PREDICTIONS, [row_of(PREDICTIONS, prediction="\ud800")])


def test_an_unfinished_file_has_a_name_that_athena_passes_over(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield curve(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(tmp_path / "t.parquet", TRAINING_CURVE, rows())
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), "2026-01-01"])
def test_a_moment_without_a_zone_is_refused(moment: Any, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="started_at is not a datetime with a time zone"):
        write_table(tmp_path / "t.parquet", SCORES, [row_of(SCORES, started_at=moment)])


def test_partitions_lie_where_the_description_says(tmp_path: Path) -> None:
    assert (
        partition_folder(tmp_path, PREDICTIONS, "radiology", "r1") == tmp_path / "predictions/task=radiology/run_id=r1"
    )
    month = month_of(datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))))
    assert partition_folder(tmp_path, SCORES, "radiology", month) == tmp_path / "scores/task=radiology/month=2026-02"
    assert month_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == "2026-12"


@pytest.mark.parametrize("value", ["", "..", "../other", "a/b", "a\\b", "x=y"])
def test_partition_values_lead_nowhere_else(value: str, tmp_path: Path) -> None:
    with pytest.raises(TableError):
        partition_folder(tmp_path, PREDICTIONS, "radiology", value)
