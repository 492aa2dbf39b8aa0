"""Similar reports from the training split to the answer: what is shown, how it varies, what the model keeps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from tests.training.test_fine_tune import arguments_of, curve_of
from tests.training.tiny_model import invented_pairs, write_part, write_splits
from tests.training.tiny_similar import SIMILAR_PROMPT, build_tiny_copying_model, write_similar
from training.answer_choice import VIEWS
from training.consensus import NEIGHBOURS
from training.errors import ArgumentError
from training.fine_tune import main
from training.generate import Arguments as GenerateArguments
from training.generate import main as generate
from training.generation import GenerationParameters, TextGenerator
from training.retrieval import Similar, SimilarReports
from training.similar_impressions import NEAREST_SHOWN
from training.splits import Record, read_split
from training.token_store import LengthGroupedSampler, TokenStore, build_token_store


class Numbered:
    """In place of the index: the targets of `count` reports named after the text, most similar first."""

    def __init__(self, count: int = NEIGHBOURS) -> None:
        self._count = count

    def similar(self, texts: list[str], count: int) -> list[list[Similar]]:
        shown = min(count, self._count)
        return [[Similar(f"{n}", 1 - n / 100, f"{text} number {n}.") for n in range(shown)] for text in texts]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_copying_model(tmp_path_factory.mktemp("copying") / "model", steps=40)


@pytest.fixture(scope="module")
def trained(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with similar reports whose decoding is minimum Bayes risk."""
    folder = write_splits(tmp_path_factory.mktemp("trained"))
    similar = write_similar(folder / "similar", folder / "train")
    main(arguments_of(folder, staged, similar=similar, epochs=6, method="mbr", samples=4, temperature=0.7))
    return folder


def store_of(folder: Path, staged: Path, similar: Any, count: int = 12, seed: int = 1) -> TokenStore:
    write_part(folder / "split", invented_pairs(count))
    return build_token_store(
        read_split(folder / "split"),
        AutoTokenizer.from_pretrained(staged),
        folder / "tokens",
        prompt_template=SIMILAR_PROMPT,
        max_input_tokens=400,
        max_target_tokens=64,
        similar=similar,
        seed=seed,
    )


def shown_numbers(store: TokenStore, tokenizer: Any, index: int) -> list[int]:
    text = tokenizer.decode(store[index]["input_ids"])
    return [int(part.rpartition("number ")[2].split(".")[0]) for part in text.split("<sep>")[1:]]


def test_training_shows_other_neighbours_each_epoch_and_validation_does_not(staged: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(staged)
    store = store_of(tmp_path, staged, Numbered())
    sampler = LengthGroupedSampler(store, 4, seed=1)
    always = [shown_numbers(store, tokenizer, index) for index in range(12)]
    assert all(numbers[1:] == [0, 1, 2] for numbers in always)
    epochs = []
    for epoch in range(8):
        sampler.set_epoch(epoch)
        epochs.append([shown_numbers(store, tokenizer, index) for index in range(12)])
    nearest = [numbers[1:] for shown in epochs for numbers in shown]
    assert all(numbers == sorted(set(numbers)) and len(numbers) == NEAREST_SHOWN for numbers in nearest)
    assert max(map(max, nearest)) == 2 * NEAREST_SHOWN - 1
    assert 0.3 < np.mean([numbers == [0, 1, 2] for numbers in nearest]) < 0.75
    assert all(shown[index][0] == always[index][0] for shown in epochs for index in range(12)), "the consensus stays"
    sampler.set_epoch(3)
    assert [shown_numbers(store, tokenizer, index) for index in range(12)] == epochs[3], "as a resumed training reads"


@pytest.mark.parametrize("count", [0, 1, 4])
def test_few_similar_reports_are_shown_as_they_are(staged: Path, tmp_path: Path, count: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(staged)
    store = store_of(tmp_path, staged, Numbered(count))
    for epoch in range(4):
        store.set_epoch(epoch)
        assert len(shown_numbers(store, tokenizer, 0)) == min(count, NEAREST_SHOWN) + (count > 0)


def test_training_evaluation_and_endpoint_ask_with_the_same_ids(trained: Path) -> None:
    generator = TextGenerator.load(trained / "model")
    store = build_token_store(
        read_split(trained / "train"),
        generator.tokenizer,
        trained / "tokens",
        prompt_template=SIMILAR_PROMPT,
        max_input_tokens=generator.card.max_input_tokens,
        max_target_tokens=32,
        similar=SimilarReports.load(trained / "similar"),
    )
    records = list(read_split(trained / "train"))
    questions = generator.questions([record.input for record in records])
    assert [question.prompt for question in questions] == [store[index]["input_ids"] for index in range(len(records))]
    assert all(generator.tokenizer.sep_token_id in question.prompt for question in questions)


def test_the_similar_reports_and_the_way_of_decoding_travel_with_the_model(trained: Path) -> None:
    generator = TextGenerator.load(trained / "model")
    assert generator.similar is not None
    assert (generator.defaults.method, generator.defaults.samples, generator.defaults.temperature) == ("mbr", 4, 0.7)
    saved = json.loads((trained / "model" / "answer_choice" / "answer_choice.json").read_text(encoding="utf-8"))
    assert generator.choice.shares == tuple(saved[view] for view in VIEWS)
    assert generator.choice.expected is not None


def test_a_transformer_learns_how_answers_are_chosen_alike(answering_model_directory: Path, tmp_path: Path) -> None:
    """T5 has no separator token, and other memory than the copying model."""
    folder = write_splits(tmp_path)
    similar = write_similar(folder / "similar", folder / "train")
    given: dict[str, Any] = {"prompt_template": SIMILAR_PROMPT, "max_input_tokens": 200, "epochs": 0.5}
    main(arguments_of(folder, answering_model_directory, similar=similar, method="mbr", samples=3, **given))
    generator = TextGenerator.load(folder / "model")
    assert generator.choice.expected is not None and sum(generator.choice.shares) > 0
    questions = generator.questions(["There is a nodule on the left, seen in view 3."])
    assert len(generator.generate(questions, generator.defaults, 8)[0]) == 1


def test_training_with_similar_reports_goes_on_as_if_it_had_not_stopped(
    staged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is stopped as its third epoch begins; the neighbours that it shows afterwards are those of that epoch."""
    curves = []
    for name, stops in (("whole", False), ("stopped", True)):
        folder = write_splits(tmp_path / name)
        similar = write_similar(folder / "similar", folder / "train")
        given: dict[str, Any] = {"similar": similar, "epochs": 4, "evaluations_per_epoch": 1, "log_every_steps": 2}
        if stops:
            with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr("training.token_store.LengthGroupedSampler.set_epoch", _stop_in_third_epoch)
                main(arguments_of(folder, staged, **given))
        capsys.readouterr()
        main(arguments_of(folder, staged, **given))
        assert ("going on from checkpoint-12" in capsys.readouterr().out) == stops
        rows = curve_of(folder)
        assert rows[-1]["step"] == 24
        curves.append([{name: value for name, value in row.items() if name != "seconds"} for row in rows])
    assert curves[0] == curves[1]


def _stop_in_third_epoch(sampler: LengthGroupedSampler, epoch: int) -> None:
    if epoch == 2:
        raise KeyboardInterrupt
    sampler._epoch = epoch
    sampler._store.set_epoch(epoch)


def test_a_prompt_with_similar_reports_needs_them(staged: Path, tmp_path: Path) -> None:
    write_splits(tmp_path)
    with pytest.raises(ArgumentError, match="give their folder"):
        main(arguments_of(tmp_path, staged))
    with pytest.raises(ArgumentError, match="the model came without any"):
        TextGenerator.load(staged).questions(["A nodule."])


def answers_of(folder: Path, model: Path, evaluation: Path, **more: Any) -> list[str]:
    output = folder / "generated"
    generate(
        GenerateArguments(
            model=model, evaluation=evaluation, output=output, **({"max_new_tokens": 12, "method": "mbr"} | more)
        )
    )
    lines = (output / "dev" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["prediction"] for line in lines]


def test_least_risk_answers_do_not_depend_on_the_batch(trained: Path, tmp_path: Path) -> None:
    write_part(tmp_path / "eval" / "dev", invented_pairs(12, start=700))
    # An answer that the samples alone choose, so that the batch has something to change.
    weights = trained / "model" / "answer_choice" / "answer_choice.json"
    saved = weights.read_text(encoding="utf-8")
    weights.write_text(json.dumps(dict.fromkeys(VIEWS, 0.0) | {"samples": 1.0}), encoding="utf-8")
    given = {"samples": 6, "temperature": 1.5}
    alone = answers_of(tmp_path / "1", trained / "model", tmp_path / "eval", batch_size=1, **given)
    together = answers_of(tmp_path / "2", trained / "model", tmp_path / "eval", batch_size=60, **given)
    weights.write_text(saved, encoding="utf-8")
    assert alone == together
    assert len(set(alone)) > 1


def test_samples_are_drawn_from_the_models_distribution(trained: Path) -> None:
    """Of many first tokens each comes about as often as the model says; the first row is the greedy answer."""
    generator = TextGenerator.load(trained / "model")
    (question,) = generator.questions(["There is a hernia on the left, seen in view 3."])
    parameters = GenerationParameters(method="mbr", samples=64, max_new_tokens=6, seed=3)
    (drawn,) = generator.draw([question], parameters, 65)
    ((greedy,),) = generator.generate([question], GenerationParameters(max_new_tokens=6), 1)
    assert len(drawn) == 65 and drawn[0] == greedy
    assert len(set(drawn)) > 1
    cold = GenerationParameters(method="mbr", samples=64, temperature=0.01, max_new_tokens=6)
    assert set(generator.draw([question], cold, 65)[0]) == {greedy}


def test_a_model_can_be_asked_with_similar_reports_that_it_did_not_bring(
    staged: Path, trained: Path, tmp_path: Path
) -> None:
    write_part(tmp_path / "eval" / "dev", invented_pairs(3, start=700))
    answers = answers_of(tmp_path, staged, tmp_path / "eval", similar=trained / "similar", method="greedy")
    assert len(answers) == 3


def test_a_model_that_has_learnt_nothing_has_little_say(
    staged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The similar reports' consensus is the right answer, and a model that has learnt nothing is not."""
    records = [Record(f"{n}", f"There is a finding {n % 4}.", f"Finding number {n % 4}.") for n in range(24)]
    for split in ("train", "validation"):
        (tmp_path / split).mkdir()
        lines = (json.dumps(vars(record)) + "\n" for record in records)
        (tmp_path / split / "part-00000.jsonl").write_text("".join(lines))
    other_inputs = [Record(record.id, record.input + " Seen.", record.target) for record in records]
    SimilarReports.build(other_inputs).save(tmp_path / "similar")
    main(arguments_of(tmp_path, staged, similar=tmp_path / "similar", epochs=0.5, learning_rate=1e-9, method="mbr"))
    assert "weights of answers: similar" in capsys.readouterr().out
    generator = TextGenerator.load(tmp_path / "model")
    shares = dict(zip(VIEWS, generator.choice.shares, strict=True))
    assert shares["samples"] < min(shares["similar"], shares["words"])
    questions = generator.questions(["There is a finding 3. Seen again.", "There is a finding 2. Seen again."])
    answers = generator.generate(questions, generator.defaults, 64)
    assert answers == [["Finding number 3."], ["Finding number 2."]]
