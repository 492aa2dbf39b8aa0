"""A model that answers texts of any length."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.training.long_notes import invented_note
from tests.training.tiny_model import invented_pairs, write_splits
from tests.training.tiny_similar import build_tiny_copying_model, write_similar
from training.answer_choice import EQUAL
from training.consensus import NEIGHBOURS
from training.errors import ArgumentError
from training.generation import GenerationParameters, Question, TextGenerator
from training.learn_choice import learn_choice
from training.long_texts import TextSplitter, merge
from training.splits import Record, read_split
from training.summariser import PASSES, POOL_BATCHES, Summariser, Summary

SHORT = "There is a nodule on the left, seen in view 7."
LONG = "\n\n".join(str(record["input"]) for record in invented_pairs(20))


@pytest.fixture
def generator(answering_model_directory: Path) -> TextGenerator:
    return TextGenerator.load(answering_model_directory)


@pytest.fixture(scope="module")
def similar_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model that is shown similar reports, and these."""
    folder = write_splits(tmp_path_factory.mktemp("similar"))
    return build_tiny_copying_model(folder / "model", steps=40), write_similar(folder / "reports", folder / "train")


def summaries(generator: TextGenerator, texts: list[str], batch_size: int = 8, **parameters: Any) -> list[Summary]:
    summariser = Summariser(generator, GenerationParameters(**({"max_new_tokens": 8} | parameters)), batch_size)
    return summariser.answer(summariser.read(texts))


def answers(generator: TextGenerator, texts: list[str], **parameters: Any) -> list[str]:
    given = GenerationParameters(**({"max_new_tokens": 8} | parameters))
    return [answer for (answer,) in generator.generate(generator.questions(texts), given, 8)]


def test_a_text_that_fits_is_answered_as_it_is(generator: TextGenerator) -> None:
    texts = [str(record["input"]) for record in invented_pairs(6)]
    assert summaries(generator, texts) == [Summary([answer], []) for answer in answers(generator, texts)]


def test_a_long_text_is_answered_piece_by_piece_and_merged(generator: TextGenerator) -> None:
    pieces = TextSplitter(generator.prompt()).pieces(LONG)
    told = answers(generator, pieces)
    assert len(pieces) > 2 and len(set(told)) > 1
    assert summaries(generator, [SHORT, LONG, SHORT]) == [
        Summary(answers(generator, [SHORT]), []),
        Summary([merge(told)], []),
        Summary(answers(generator, [SHORT]), []),
    ]


def test_a_long_text_is_refused_where_it_is_not_to_be_split(generator: TextGenerator) -> None:
    parameters = GenerationParameters(max_new_tokens=8, long_inputs="refuse")
    summariser = Summariser(generator, parameters, 8)
    short, long = summariser.read([SHORT, LONG])
    assert (short.refused, long.refused) == (False, True)
    assert long.tokens == generator.prompt().lengths([LONG])[0] > summariser.limit
    assert summariser.answer([long, short]) == [Summary([""], []), Summary(answers(generator, [SHORT]), [])]


def test_no_long_text_reaches_the_model_unsplit(generator: TextGenerator) -> None:
    with pytest.raises(ArgumentError, match=r"text 1 is too long: \d+ tokens with the prompt, this model reads 128"):
        generator.questions([SHORT, LONG])


def test_two_hundred_pages_are_answered_a_bounded_number_of_prompts_at_a_time(
    generator: TextGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.card = dataclasses.replace(generator.card, max_input_tokens=512)
    held: list[int] = []
    generate = generator.generate

    def counted(questions: Sequence[Question], *rest: Any) -> list[list[str]]:
        held.append(len(questions))
        return generate(questions, *rest)

    monkeypatch.setattr(generator, "generate", counted)
    note = invented_note(200)
    summariser = Summariser(generator, GenerationParameters(max_new_tokens=4), 4)
    (reading,) = summariser.read([note])
    assert len(note.split()) >= 100_000 and reading.read_in > 3 * POOL_BATCHES * 4
    (summary,) = summariser.answer([reading])
    assert summary.answers[0]
    assert max(held) == POOL_BATCHES * 4 and sum(held) >= reading.read_in


def test_a_merged_summary_that_is_too_long_itself_is_summarised_again_and_not_for_ever(
    generator: TextGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model says a tenth of what it reads, and no sentence twice; then it says nearly all of it."""
    rounds: list[int] = []
    share = 10

    def shortened(questions: Sequence[Question], *_: Any) -> list[list[str]]:
        rounds.append(len(questions))
        return [[" ".join(one.text.split()[::share])] for one in questions]

    monkeypatch.setattr(generator, "generate", shortened)
    limit = generator.card.max_input_tokens
    (summary,) = summaries(generator, [invented_note(10)], batch_size=1000)
    assert rounds[0] > rounds[1] > 1 and len(rounds) <= 1 + PASSES
    assert generator.prompt().lengths(summary.answers)[0] <= limit

    rounds.clear()
    share = 1
    (summary,) = summaries(generator, [invented_note(1)], batch_size=1000)
    assert 1 < len(rounds) <= 1 + PASSES
    assert generator.prompt().lengths(summary.answers)[0] > limit, "longer than it reads, and not cut off"


def test_each_piece_is_shown_what_is_similar_to_it(similar_model: tuple[Path, Path]) -> None:
    directory, reports = similar_model
    generator = TextGenerator.load(directory, similar=reports)
    pieces = TextSplitter(generator.prompt()).pieces(LONG)
    questions = generator.questions(pieces)
    separator = generator.tokenizer.sep_token_id
    assert len(pieces) > 2 and all(separator in question.prompt for question in questions)
    (summary,) = summaries(generator, [LONG], method="mbr", samples=3)
    told = answers(generator, pieces, method="mbr", samples=3)
    assert summary.answers == [merge(told)]
    found = {report.id: report.similarity for question in questions for report in question.similar}
    shown = [report.similarity for report in summary.similar]
    assert len({report.id for report in summary.similar}) == len(shown) == NEIGHBOURS
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == max(report.similarity for question in questions for report in question.similar)
    assert {report.id for report in summary.similar} <= found.keys()


def test_how_answers_are_chosen_is_learnt_from_what_fits(similar_model: tuple[Path, Path], tmp_path: Path) -> None:
    directory, reports = similar_model
    generator = TextGenerator.load(directory, similar=reports)
    folder = write_splits(tmp_path)
    parameters = GenerationParameters(method="mbr", samples=3, max_new_tokens=8)
    train, validation = (list(read_split(folder / split)) for split in ("train", "validation"))
    long = [Record(f"{n}", LONG, "Known nodule.") for n in range(3)]
    only_short = learn_choice(generator, train, validation, parameters)
    assert learn_choice(generator, train, [*validation, *long], parameters).shares == only_short.shares
    assert learn_choice(generator, train, long, parameters).shares == EQUAL


def test_what_similar_reports_agree_on_needs_some(generator: TextGenerator) -> None:
    with pytest.raises(ArgumentError, match="this model has no similar reports that could agree"):
        Summariser(generator, GenerationParameters(method="consensus"), 8)
