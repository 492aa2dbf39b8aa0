"""The document, which answers a file holds, and the file itself."""

import base64
import gzip
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from local.dashboard import page
from local.dashboard.coverage import Limits, combinations
from local.dashboard.document import Answer, Column, answers_to_json
from local.dashboard.errors import BuildError
from local.dashboard.page import bundle, file_page, served_page, write_page
from stacks.dashboard.shared.data_sets import NONE
from stacks.dashboard.shared.scores import ALL_SLICES
from tests.dashboard.world import NEWEST, TASK, TASKS, World

WORLD = World(runs=3, records=4)


def _combinations(name: str, world: World = WORLD, limits: Limits | None = None) -> list[dict[str, str]]:
    live = world.live()
    contents = {one: data_set.contents for one, data_set in live.deployed.data_sets.items()}
    return combinations(live.deployed.definition, contents, live._spice(), name, limits or Limits())


def test_every_text_is_kept_once_and_every_value_comes_back() -> None:
    columns = (Column("text", "STRING"), Column("loss", "DECIMAL"))
    texts = ["same", None, "same", "\ud83d half an emoji", "</script>"]
    losses = [1.5, None, float("nan"), float("inf"), float("-inf")]
    answer = Answer("d", {"run": "a"}, columns, (texts, losses), 9)
    other = Answer("d", {"run": "b"}, columns, (texts, losses[::-1]), 5)
    json_text = answers_to_json([answer, other])
    read = json.loads(json_text)
    first, second = ([read["columns"][place] for place in one["values"]] for one in read["answers"])
    assert [None if place is None else read["texts"][place] for place in first[0]] == texts
    assert first[1] == [1.5, None, "NaN", "Infinity", "-Infinity"] == second[1][::-1]
    assert len(read["texts"]) == 3 and len(read["columns"]) == 3
    assert [one["total_rows"] for one in read["answers"]] == [9, 5]
    json_text.encode("ascii")


def test_a_file_holds_what_can_be_chosen_nearest_to_the_default_first() -> None:
    found = _combinations("reports")
    default = {"task": TASK, "run": NEWEST, "slice": ALL_SLICES, "order": "worst first", "search": ""}
    assert found[0] == default
    runs = [NEWEST, *[run.run_id for run in reversed(WORLD.evaluated)]]
    # Of the first task every run; the other task has none but the default.
    assert len(found) == (len(runs) + 1) * 3 * 3
    assert {one["run"] for one in found if one["task"] == TASKS[1]} == {NEWEST}
    assert {one["search"] for one in found} == {""}


def test_newest_runs_come_first_and_older_ones_are_left_out() -> None:
    world = World(runs=12, records=1)
    runs = [one["run"] for one in _combinations("lengths", world, Limits(linked_values=2)) if one["task"] == TASK]
    assert runs == [NEWEST, world.evaluated[-1].run_id, world.evaluated[-2].run_id]


def test_compared_runs_are_those_of_the_same_task() -> None:
    found = _combinations("curve")
    ids = {run.run_id for run in WORLD.evaluated}
    assert {one["compare"] for one in found if one["task"] == TASK} == {NONE, *ids}
    assert {one["compare"] for one in found if one["task"] == TASKS[1]} == {NONE}


def test_what_is_left_out_is_counted() -> None:
    document = WORLD.live().whole_document(Limits(combinations=2))
    held = [answer for answer in document.answers if answer.data_set == "reports"]
    left = {one.data_set: one.combinations for one in document.left_out}
    assert len(held) == 2 and left["reports"] == len(_combinations("reports")) - 2
    by_rows = WORLD.live().whole_document(Limits(rows=8))
    assert [answer.rows for answer in by_rows.answers if answer.data_set == "reports"] == [8]


def test_the_file_holds_its_document_and_allows_no_network(bundles: Path) -> None:
    document = World(runs=1, records=2, texts=("</script><script>alert(1)</script>",)).live().whole_document(Limits())
    content = file_page(document, bundles)
    packed = dict(re.findall(r'<script type="application/octet-stream" id="([\w-]+)">([^<]+)</script>', content))
    read = {name: json.loads(gzip.decompress(base64.b64decode(part))) for name, part in packed.items()}
    assert read.pop("document") == json.loads(document.to_json())
    assert read == {f"answers-{name}": json.loads(part) for name, part in document.parts_json().items()}
    assert "answers-reports" in read and "alert(1)" not in document.to_json()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', content)
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src" not in policy[1] and "unsafe" not in policy[1]
    assert content.count("<script") == 1 + len(packed) and "alert(1)" not in content.replace(bundle(bundles), "")


def test_the_served_page_may_ask_its_own_server_only(bundles: Path) -> None:
    content = served_page('Title <&">', bundles)
    assert "connect-src 'self'" in content and 'id="document"' not in content.replace(bundle(bundles), "")
    assert "<title>Title &lt;&amp;&quot;&gt;</title>" in content


def test_a_file_is_for_its_owner_and_comes_whole(bundles: Path, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "dashboard.html"
    for _ in range(2):
        write_page(World(runs=1, records=1).live().whole_document(Limits()), path, bundles)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["dashboard.html"]


def test_the_same_document_gives_the_same_bytes(bundles: Path) -> None:
    document = World(runs=2, records=3).live().whole_document(Limits())
    assert file_page(document, bundles) == file_page(document, bundles)


def test_the_script_is_bundled_once_for_its_sources(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle(bundles)
    monkeypatch.setattr(page, "_build", lambda target: pytest.fail(f"{target} was built again"))
    bundle(bundles)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_ESBUILD", tmp_path / "esbuild")
    with pytest.raises(BuildError, match="esbuild is missing: `make set-up` installs it"):
        bundle(tmp_path)


def test_a_script_that_would_end_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(target: Path) -> None:
        target.write_text("'</ScRipt>'")

    monkeypatch.setattr(page, "_build", build)
    with pytest.raises(BuildError, match="end the script"):
        bundle(tmp_path)


def test_every_name_of_the_definition_is_known_to_the_page(bundles: Path) -> None:
    """What the page does not know it names in the page; the project's own dashboard must not need that."""
    definition: Any = WORLD.deployed().definition
    kinds = {next(iter(visual)) for sheet in definition["Sheets"] for visual in sheet["Visuals"]}
    assert kinds == {
        "KPIVisual",
        "BarChartVisual",
        "ComboChartVisual",
        "LineChartVisual",
        "BoxPlotVisual",
        "TableVisual",
    }
