"""A search that goes by validation F1, by the local AWS's own suggestions, and trainings of it that fail."""

import math
from pathlib import Path
from typing import Any

import pytest

from bench import encoder_trainings
from bench.adverse_texts import Sides
from bench.encoder_trainings import (
    Encoder,
    Searched,
    Trained,
    Workplace,
    provider_of,
    ranges_of,
    search,
    stage_encoder,
    task_of,
)
from local.emulator.pipelines.suggestions import Suggestions
from training.errors import ModelError


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path, tmp_path / "log", seed=3)


class ToldTrainings:
    """In place of trainings: F1 is the better the nearer the rate is to 2e-4. Those of the numbers in `fail` fail."""

    def __init__(self) -> None:
        self.fail: set[int] = set()
        self.tried: list[dict[str, Any]] = []

    def train(self, encoder: Encoder, sides: Sides, work: Workplace, tried: dict[str, Any]) -> Trained:
        self.tried.append(tried)
        if len(self.tried) in self.fail:
            raise ModelError("training diverged")
        folder = work.next_folder()
        folder.mkdir()
        return Trained(folder, tried, 1 / (1 + abs(math.log(tried["learning_rate"] / 2e-4))), 2.0)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> ToldTrainings:
    told = ToldTrainings()
    monkeypatch.setattr(encoder_trainings, "train", told.train)
    return told


def searched(work: Workplace, jobs: int) -> Searched:
    return search(Encoder("tiny", work.folder, task_of("local")), Sides(work.folder, [], [], []), work, jobs)


def test_the_best_by_validation_goes_on_and_the_others_are_removed(work: Workplace, trainings: ToldTrainings) -> None:
    found = searched(work, jobs=6)
    assert len(found.trials) == 6 and found.best.f1 == max(trial["f1"] for trial in found.trials)
    assert found.best.seconds == 12.0
    assert list(work.folder.glob("model-*")) == [found.best.directory]
    ranges = task_of("local").search
    assert ranges is not None
    for one in trainings.tried:
        assert ranges.learning_rate[0] <= one["learning_rate"] <= ranges.learning_rate[1]
        assert one["max_seq_length"] in ranges.max_seq_length and one["train_batch_size"] in ranges.train_batch_size


def test_what_is_tried_is_what_the_local_aws_suggests(work: Workplace, trainings: ToldTrainings) -> None:
    found = searched(work, jobs=5)
    ranges = task_of("local").search
    assert ranges is not None
    suggestions = Suggestions(ranges_of(ranges), jobs=5, maximise=True, seed=3)
    for trial in found.trials:
        number, texts = suggestions.ask()
        assert {name: float(text) for name, text in texts.items()} == {name: trial[name] for name in texts}
        suggestions.tell(number, [trial["f1"]], completed=True)


def test_a_training_that_fails_is_one_trial_less(work: Workplace, trainings: ToldTrainings) -> None:
    trainings.fail = {1, 3, 5, 6}
    found = searched(work, jobs=4)
    assert [trial["f1"] is None for trial in found.trials] == [True, False, True, False]
    assert found.trials[0]["failure"] == "training diverged"
    with pytest.raises(ModelError, match="none of 2 trainings of the search ended well: training diverged"):
        searched(work, jobs=2)


def test_an_encoder_that_cannot_be_had_is_a_named_error(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(model_id: str, newest: object) -> str:
        raise ModelError(f"the hub does not say at which commit {model_id} is")

    monkeypatch.setattr("training.stage_model.commit_of", no_network)
    with pytest.raises(ModelError, match="the hub does not say at which commit owner/name is"):
        stage_encoder("owner/name", "owner/name", task_of("dev"), work)


def test_who_writes_examples() -> None:
    assert provider_of("bedrock:meta.llama3:0") == {"provider": "bedrock", "model_id": "meta.llama3:0"}
    assert provider_of("endpoint:falcon") == {"provider": "endpoint", "endpoint": "falcon"}
    assert provider_of("models/falcon") == {"provider": "model", "model": Path("models/falcon")}
