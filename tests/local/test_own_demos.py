"""The demo of a task file that did not ship: which one it is, what it needs, and what it says when it cannot go on."""

from pathlib import Path

import pytest
from rich.console import Console

from local import packaged_models
from local.demos import DEMOS, demo_of
from local.errors import DataError
from local.packaged_models import ENCODER_KEY, named_models
from local.paths import TASKS


def task_file(folder: Path, text: str) -> Path:
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("task", DEMOS)
def test_a_shipped_task_has_its_own_demo_wherever_its_file_lies(task: str, tmp_path: Path) -> None:
    assert demo_of(task, TASKS) is DEMOS[task]
    (tmp_path / f"{task}.yaml").touch()
    assert demo_of(task, tmp_path) is DEMOS[task]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("kind: summary", "summary"), ("{kind: classification, labels: {positive: Yes_it_is}}", "classification")],
)
def test_any_other_task_has_the_demo_of_its_kind(tmp_path: Path, text: str, kind: str) -> None:
    demo = demo_of("own", task_file(tmp_path, text))

    assert (demo.task, demo.kind) == ("own", kind)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: [summary", "is no task file"),
        ("- summary", "is no task file"),
        ("title: Own", "is no task file"),
        ("kind: classification", "is no task file"),
        ("kind: translation", "kind must be summary or classification, got 'translation'"),
    ],
)
def test_what_is_no_task_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=rf"own\.yaml: {said}"):
        demo_of("own", task_file(tmp_path, text))


def test_a_task_that_is_not_there_is_refused_and_the_others_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no task other there; there are: own"):
        demo_of("other", task_file(tmp_path, "kind: summary"))


def test_without_data_it_says_what_is_missing(tmp_path: Path) -> None:
    demo = demo_of("own", task_file(tmp_path, "kind: summary"))

    with pytest.raises(DataError, match=r"own brings no example data.*DATA=.* EVAL="):
        demo.example_data(Console(quiet=True), tmp_path)


def test_packaged_models_are_put_where_the_task_file_looks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").touch()
    monkeypatch.setattr(packaged_models, "encoder", lambda data: data)

    named = list(named_models(f'model: {{source: s3, s3_uri: "s3://{{bucket}}/{ENCODER_KEY}"}}', tmp_path))

    assert named == [(tmp_path / "config.json", f"{ENCODER_KEY}/config.json")]
    assert list(named_models(f"s3_uri: s3://another-bucket/{ENCODER_KEY}", tmp_path)) == []
