"""Models of the Hugging Face hub: pinned by the task file, by the lock, or not at all."""

import json
from pathlib import Path

import pytest

from stacks.config import TASKS_FOLDER, load_task
from stacks.errors import LockError
from stacks.hub import pinned, read_hub_lock, unpinned, write_hub_lock
from stacks.hub_lock import resolved

COMMIT = "0123456789abcdef0123456789abcdef01234567"
EVENTS, RADIOLOGY = (
    load_task(TASKS_FOLDER / f"{name}.yaml", "dev") for name in ("adverse_events", "radiology_impressions")
)


def test_the_lock_gives_a_commit_to_what_the_task_file_does_not_pin(tmp_path: Path) -> None:
    lock = tmp_path / "hub.lock.json"
    assert pinned([EVENTS, RADIOLOGY], lock) == (EVENTS, RADIOLOGY), "without a file nothing changes"
    models = unpinned([EVENTS, RADIOLOGY])
    assert len(models) == 6 and {"monologg/biobert_v1.1_pubmed", "tiiuae/falcon-7b"} <= set(models)
    write_hub_lock(lock, {**dict.fromkeys(models, COMMIT), "google/flan-t5-xl": COMMIT})
    events, radiology = pinned([EVENTS, RADIOLOGY], lock)
    assert {model.revision for model in events.models} == {COMMIT}, "of the search and of the generator, too"
    assert radiology.model.revision == RADIOLOGY.model.revision != COMMIT, "the task file's own commit stays"
    assert unpinned([events, radiology]) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "hub.lock.json: not JSON"),
        ("[]", "hub.lock.json: must map a model id to its commit"),
        (json.dumps({"a/b": "main"}), "hub.lock.json: a/b: must be a commit of 40 hexadecimal digits, got 'main'"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    lock = tmp_path / "hub.lock.json"
    lock.write_text(content, encoding="utf-8")
    with pytest.raises(LockError, match=said.replace("[", "\\[")):
        read_hub_lock(lock)


def test_the_hub_is_asked_for_each_model_once_and_what_fails_is_named() -> None:
    asked = []

    def newest(model_id: str) -> str:
        asked.append(model_id)
        return COMMIT

    assert resolved(["a/b", "c/d"], newest) == {"a/b": COMMIT, "c/d": COMMIT}
    assert asked == ["a/b", "c/d"]

    def unreachable(_model_id: str) -> str:
        raise OSError("no network")

    with pytest.raises(LockError, match="a/b: the Hugging Face hub cannot be asked: no network"):
        resolved(["a/b"], unreachable)
