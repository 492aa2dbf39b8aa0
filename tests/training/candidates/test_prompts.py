"""Prompts: how a text and examples get into them, and which examples are drawn."""

from pathlib import Path

import pytest

from tests.training.tiny_model import invented_pairs, write_part
from training.candidates.prompts import CandidatePrompt, draw_examples
from training.splits import Record, read_split


def test_texts_may_hold_what_looks_like_a_place() -> None:
    shown = Record("a", "An {input} and {examples}.", "{target} {input}")
    prompt = CandidatePrompt("{examples}Note: {input}\nBraces {x}:", "Note: {input} = {target}\n", (shown,))
    text = "A {target} of {examples} in {input}"
    examples = "Note: An {input} and {examples}. = {target} {input}\n"
    assert prompt.of(text) == f"{examples}Note: {text}\nBraces {{x}}:"


def test_a_place_for_examples_is_empty_without_any() -> None:
    assert CandidatePrompt("{examples}Note: {input}").of("a") == "Note: a"


@pytest.mark.parametrize("text", ["There is a nodule.", "  there is\nA  NODULE. "])
def test_a_text_that_is_shown_is_known_by_its_words(text: str) -> None:
    prompt = CandidatePrompt("{examples}{input}", "{input}{target}", (Record("a", "There is a nodule.", "A nodule."),))
    assert prompt.shows(text) and not prompt.shows("There is no nodule.")


def test_examples_are_drawn_by_seed_from_the_shorter_half(tmp_path: Path) -> None:
    long = [{**record, "input": f"{record['input']} {'No change. ' * 200}"} for record in invented_pairs(20, start=100)]
    write_part(tmp_path, [*invented_pairs(20), *long])
    short = {record.id: record for record in read_split(tmp_path) if "No change. " * 9 not in record.input}
    drawn = draw_examples(tmp_path, 5, seed=1)
    assert drawn == draw_examples(tmp_path, 5, seed=1) != draw_examples(tmp_path, 5, seed=2)
    assert len(set(drawn)) == 5 and all(short[record.id] == record for record in drawn)
    assert draw_examples(tmp_path, 3, seed=1) == drawn[:3]
    assert draw_examples(tmp_path, 0, seed=1) == ()
