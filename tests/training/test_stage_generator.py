"""StageGenerator: what is fetched, at which commit, and what is refused. The hub is a folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import ArgumentError, ModelError
from training.stage_generator import Arguments, main

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Writes a model's files; remembers at which commits and by which patterns it was asked."""

    def __init__(self, *files: str) -> None:
        self._files = files
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, *, repo_id: str, revision: str, local_dir: Path, allow_patterns: list[str]) -> None:
        assert repo_id == "someone/writer"
        self.asked.append((revision, allow_patterns))
        for name in self._files:
            if any(Path(name).match(pattern) for pattern in allow_patterns):
                (local_dir / name).write_text("{}", encoding="utf-8")
        (local_dir / ".cache").mkdir(exist_ok=True)


def stage(folder: Path, hub: Hub, **more: Any) -> Arguments:
    arguments = Arguments(model_id="someone/writer", output=folder / "model", **more)
    main(arguments, hub, lambda _: COMMIT)
    return arguments


def test_safetensors_are_fetched_and_nothing_else(tmp_path: Path) -> None:
    hub = Hub("config.json", "tokenizer.json", "model.safetensors", "pytorch_model.bin", "modeling_writer.py")
    stage(tmp_path, hub, revision="f" * 40)
    assert [revision for revision, _ in hub.asked] == ["f" * 40]
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "stage_generator_arguments.json",
    }


def test_without_a_revision_the_newest_commit_is_taken_and_named(tmp_path: Path) -> None:
    hub = Hub("config.json", "pytorch_model.bin")
    stage(tmp_path, hub)
    assert {revision for revision, _ in hub.asked} == {COMMIT}
    assert (tmp_path / "model" / "pytorch_model.bin").is_file(), "pickled weights where there is nothing else"
    written = json.loads((tmp_path / "model" / "stage_generator_arguments.json").read_text())
    assert written["revision"] == COMMIT


def test_a_revision_that_can_move_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="revision must be a commit of 40"):
        Arguments(model_id="someone/writer", output=tmp_path, revision="main")


def test_a_hub_that_cannot_be_reached_is_a_named_error(tmp_path: Path) -> None:
    def unreachable(**_: Any) -> None:
        raise OSError("no network")

    arguments = Arguments(model_id="someone/writer", output=tmp_path / "model", revision=COMMIT)
    with pytest.raises(ModelError, match=f"someone/writer at {COMMIT} cannot be downloaded: OSError"):
        main(arguments, unreachable)

    def silent(_: str) -> str:
        raise OSError("no network")

    with pytest.raises(ModelError, match="the hub does not say at which commit someone/writer is: OSError"):
        main(Arguments(model_id="someone/writer", output=tmp_path / "model"), unreachable, silent)
