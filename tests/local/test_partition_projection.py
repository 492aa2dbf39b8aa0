"""Which partition values Athena would look into."""

import pytest

from local.emulator.partition_projection import ProjectedColumn, ProjectionError, projected_columns


def column(kind: str, **settings: str) -> ProjectedColumn:
    return ProjectedColumn("c", kind, settings)


@pytest.mark.parametrize(
    ("kind", "settings", "inside", "outside"),
    [
        ("enum", {"values": "a, b"}, ["a", "b"], ["c", ""]),
        ("integer", {"range": "1,12"}, ["1", "12"], ["0", "13", "x"]),
        ("date", {"range": "2024-02,2025-01", "format": "yyyy-MM"}, ["2024-02", "2025-01"], ["2024-01", "2024-02-03"]),
        ("date", {"range": "2024-02-01,NOW", "format": "yyyy-MM-dd"}, ["2024-02-01"], ["2024-01-31", "2999-01-01"]),
        ("date", {"range": "NOW-2YEARS,NOW+1MONTH", "format": "yyyy"}, [], ["2000", "2999"]),
        ("injected", {}, ["anything"], []),
    ],
)
def test_values(kind: str, settings: dict[str, str], inside: list[str], outside: list[str]) -> None:
    projected = column(kind, **settings)
    assert [value for value in inside + outside if projected.contains(value)] == inside


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("enum", {}, "values is missing"),
        ("date", {"range": "2024-01,NOW"}, "format is missing"),
        ("date", {"range": "2024-01,NOW", "format": "yyyy 'week' ww"}, "not offered"),
        ("date", {"range": "yesterday,NOW", "format": "yyyy-MM"}, "unreadable"),
    ],
)
def test_settings_that_are_wrong_are_named(kind: str, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ProjectionError, match=message):
        column(kind, **settings).contains("2024-01")


def test_every_partition_column_needs_a_projection() -> None:
    table = {
        "Parameters": {"projection.enabled": "true", "projection.a.type": "injected"},
        "PartitionKeys": [{"Name": "a"}, {"Name": "b"}],
    }
    with pytest.raises(ProjectionError, match=r"projection\.b\.type"):
        projected_columns(table)
