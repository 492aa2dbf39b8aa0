"""Whether the page shows what was computed elsewhere."""

from typing import Any

import pytest


def assert_same_numbers(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    """`shown` are the page's, of every visual; numbers may differ by rounding, and rows that are equal in what they are
    sorted by may change places."""
    assert shown.keys() == expected.keys()
    for name, numbers in expected.items():
        found = shown[name]
        assert "gap" not in found, f"{name}: {found}"
        if "series" in numbers:
            series = {one["name"]: one["values"] for one in found["series"]}
            found = {"categories": found["categories"], "series": series}
        else:
            found = {key: value for key, value in found.items() if key != "kind"}
        if "points" in numbers:
            _close(sorted(found["points"]), sorted(numbers["points"]), name)
        elif "rows" in numbers:
            assert found["columns"] == numbers["columns"]
            _close(sorted(found["rows"], key=repr), sorted(numbers["rows"], key=repr), name)
        else:
            _close(found, numbers, name)


def _close(found: Any, expected: Any, name: str) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), name
        for key, value in expected.items():
            _close(found[key], value, f"{name}: {key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), name
        for place, value in enumerate(expected):
            _close(found[place], value, f"{name}[{place}]")
    elif isinstance(expected, float) and not isinstance(found, str) and found is not None:
        assert found == pytest.approx(expected, abs=1e-12), name
    else:
        assert found == expected, name
