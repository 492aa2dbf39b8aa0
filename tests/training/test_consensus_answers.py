"""A model whose way of decoding is the consensus of similar reports."""

from pathlib import Path

import pytest

from tests.training.test_fine_tune import arguments_of
from tests.training.tiny_model import write_splits
from tests.training.tiny_similar import build_tiny_copying_model, write_similar
from training.consensus import consensus
from training.fine_tune import main
from training.generation import TextGenerator


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    staged = build_tiny_copying_model(tmp_path_factory.mktemp("copying") / "model", steps=10)
    folder = write_splits(tmp_path_factory.mktemp("trained"))
    similar = write_similar(folder / "similar", folder / "train")
    main(arguments_of(folder, staged, similar=similar, epochs=1, method="consensus"))
    return folder / "model"


def test_it_answers_what_the_similar_reports_agree_on(trained: Path) -> None:
    generator = TextGenerator.load(trained)
    assert generator.defaults.method == "consensus"
    questions = generator.questions(["There is a small nodule in the left apex.", "zzz qqq"])
    assert questions[0].similar and not questions[1].similar
    answers = generator.generate(questions, generator.defaults, 8)
    assert answers[0] == [consensus(questions[0].similar)]
    # Where nothing is similar the model answers.
    assert len(answers[1]) == 1
