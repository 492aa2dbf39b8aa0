"""A model whose way of decoding is the consensus of similar reports."""

import dataclasses
from pathlib import Path

import pytest

from tests.training.test_fine_tune import arguments_of
from tests.training.tiny_model import write_splits
from tests.training.tiny_similar import build_tiny_copying_model, write_similar
from training.consensus import consensus
from training.fine_tune import main
from training.generation import GenerationParameters, TextGenerator
from training.similar_impressions import find_similar
from training.summariser import Summariser, Summary


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
    texts = ["There is a small nodule in the left apex.", "zzz qqq"]
    found = [question.similar for question in generator.questions(texts)]
    assert found[0] and not found[1]
    summariser = Summariser(generator, generator.defaults, 8)
    answers = summariser.answer(summariser.read(texts))
    assert answers[0] == Summary([consensus(found[0])], found[0])
    # Where nothing is similar the model answers.
    greedy = generator.generate(generator.questions(texts[1:]), GenerationParameters(max_new_tokens=16), 8)
    assert answers[1] == Summary(greedy[0], [])


@pytest.mark.parametrize("long_inputs", ["split", "refuse"])
def test_however_long_a_text_is_it_is_looked_up_whole(trained: Path, long_inputs: str) -> None:
    generator = TextGenerator.load(trained)
    parameters = dataclasses.replace(generator.defaults, long_inputs=long_inputs)
    text = "There is a small nodule in the left apex. " * 100
    summariser = Summariser(generator, parameters, 8)
    (reading,) = summariser.read([text])
    assert reading.tokens > summariser.limit and reading.read_in == 1 and not reading.refused
    assert generator.similar is not None
    (found,) = find_similar(generator.similar, [text])
    assert summariser.answer([reading]) == [Summary([consensus(found)], found)]
