"""Where long texts are split, that nothing of them is lost, and how what was written of the pieces is merged."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from tests.training.long_notes import invented_note
from training.errors import ArgumentError
from training.long_texts import SIMILAR_SHARE, TextSplitter, merge
from training.prompt_tokens import PromptTokens

TEMPLATE = "Summarize: {input}\n\nSummary:"


@pytest.fixture(scope="module")
def tokenizer(tiny_model_directory: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model_directory)


def pieces_of(tokenizer: Any, text: str, limit: int, template: str = TEMPLATE) -> list[str]:
    prompt = PromptTokens(tokenizer, template, limit)
    pieces = TextSplitter(prompt).pieces(text)
    assert all(tokens <= limit for tokens in prompt.lengths(pieces))
    assert [word for piece in pieces for word in piece.split()] == text.split(), "every word once, in order"
    return pieces


def limit_for(tokenizer: Any, *texts: str) -> int:
    """The limit within which each of these fits alone, and no two of them: some tokens more than that are for the line
    breaks between them and for spaces of the prompt."""
    return max(PromptTokens(tokenizer, TEMPLATE, 1000).lengths(texts)) + 6


@pytest.mark.parametrize("between", ["\n", "\n\n", " ", "\n \n"])
def test_sections_begin_pieces(tokenizer: Any, between: str) -> None:
    sections = [
        "HPI: No change since view one. The bones are unremarkable.",
        "Medications: a calcification on the right, no hernia today, none.",
        "Assessment and Plan: clear lung on the left, no change. Known.",
    ]
    limit = limit_for(tokenizer, *sections)
    assert pieces_of(tokenizer, between.join(sections), limit) == sections


def test_a_heading_stays_with_what_it_announces(tokenizer: Any) -> None:
    first, second = "HPI: There is a nodule on the left.", "ASSESSMENT:\n\nPlan:\nKnown nodule on the left."
    limit = limit_for(tokenizer, first, second)
    assert pieces_of(tokenizer, f"{first}\n{second}", limit) == [first, second]


def test_a_line_of_capitals_is_a_heading(tokenizer: Any) -> None:
    first, second = "There is a nodule on the left. Known.", "PHYSICAL EXAM\nThe bones are unremarkable."
    limit = limit_for(tokenizer, first, second)
    assert pieces_of(tokenizer, f"{first}\n{second}", limit) == [first, second]


def test_a_section_that_is_too_long_is_split_at_sentences(tokenizer: Any) -> None:
    first, second = "There is a 1.4 cm nodule, as Dr. Grey said.", "The bones are unremarkable, no change."
    limit = limit_for(tokenizer, first, second)
    assert pieces_of(tokenizer, f"{first} {second}", limit) == [first, second]


def test_a_list_without_full_stops_is_split_at_its_lines(tokenizer: Any) -> None:
    lines = ["- a nodule on the left", "- a fracture on the right", "- a hernia on the left"]
    limit = limit_for(tokenizer, *lines)
    assert pieces_of(tokenizer, "\n".join(lines), limit) == lines


def test_a_sentence_that_is_too_long_is_split_behind_clauses_then_between_words(tokenizer: Any) -> None:
    clauses = ["There is a nodule on the left,", "a fracture on the right;", "and a hernia on the left."]
    limit = limit_for(tokenizer, *clauses)
    assert pieces_of(tokenizer, " ".join(clauses), limit) == clauses
    words = pieces_of(tokenizer, "nodule hernia fracture calcification " * 20, limit)
    assert len(words) > 2


def test_a_word_that_is_longer_than_the_model_reads_is_not_dropped(tokenizer: Any) -> None:
    word = "nodulefracture" * 40
    prompt = PromptTokens(tokenizer, TEMPLATE, 40)
    pieces = TextSplitter(prompt).pieces(f"There is a {word} on the left.")
    assert max(prompt.lengths(pieces)) <= 40
    assert "".join("".join(pieces).split()) == f"Thereisa{word}ontheleft."


def test_pieces_are_few_and_of_about_the_same_length(tokenizer: Any) -> None:
    prompt = PromptTokens(tokenizer, TEMPLATE, 128)
    text = "The bones are unremarkable. " * 20
    pieces = pieces_of(tokenizer, text, 128)
    (whole,) = prompt.input_lengths([text])
    lengths = prompt.input_lengths(pieces)
    assert len(pieces) <= -(-whole // prompt.room) + 1
    assert min(lengths) > 0.5 * max(lengths)


def test_a_piece_leaves_room_for_similar_reports_where_the_prompt_shows_them(tokenizer: Any) -> None:
    text = invented_note(1)
    prompt = PromptTokens(tokenizer, "{input}{similar}", 200)
    pieces = pieces_of(tokenizer, text, 200, "{input}{similar}")
    assert max(prompt.input_lengths(pieces)) <= prompt.room * (1 - SIMILAR_SHARE) + 1
    assert max(prompt.input_lengths(pieces_of(tokenizer, text, 200, "{input}"))) > prompt.room * (1 - SIMILAR_SHARE)


@pytest.mark.parametrize("limit", [60, 128, 1000])
def test_two_hundred_pages_are_split_without_loss(tokenizer: Any, limit: int) -> None:
    note = invented_note(200)
    assert len(note.split()) >= 200 * 500
    pieces = pieces_of(tokenizer, note, limit)
    assert len(pieces) > 100


def test_a_prompt_that_leaves_no_room_for_a_character_is_refused(tokenizer: Any) -> None:
    fills = PromptTokens(tokenizer, TEMPLATE, 100)
    narrow = PromptTokens(tokenizer, TEMPLATE, 100 - fills.room + 1)
    with pytest.raises(ArgumentError, match="less room than one character needs: raise max_input_tokens"):
        TextSplitter(narrow).pieces("\U0001f9e0" * 10)


def test_summaries_are_merged_in_order_and_said_once() -> None:
    assert merge(["Known nodule. No change.", "No  change. Fracture.", "known nodule", ""]) == (
        "Known nodule. No change. Fracture."
    )
    assert merge(["- nodule\n- hernia", "- hernia\n- fracture"]) == "- nodule\n- hernia\n- fracture"
    assert merge(["", ""]) == ""
