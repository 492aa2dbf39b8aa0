"""Prompts put together from parts: what a reader of the ids sees, and what gives way where room is short."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from training.errors import ArgumentError
from training.prompt import check_prompt_template
from training.prompt_tokens import PromptTokens

FINDINGS = "There is a nodule on the left, seen in view 7."
IMPRESSIONS = ["Known nodule on the left.", "No\nchange.", "Known hernia on the right."]
TEMPLATE = "Findings: {input}\n\nSimilar reports say:{similar}\n\nImpression:"


@pytest.fixture(scope="module")
def tokenizer(tiny_model_directory: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model_directory)


@pytest.fixture(scope="module")
def plain_tokenizer(tiny_model_directory: Path) -> Any:
    """One without a separator token, as T5's and Pegasus' are."""
    return PreTrainedTokenizerFast(
        tokenizer_file=str(tiny_model_directory / "tokenizer.json"), pad_token="<pad>", eos_token="</s>"
    )


def read(tokenizer: Any, ids: list[int]) -> str:
    """The text without the spaces that each part begins with."""
    return " ".join(tokenizer.decode(ids).split())


def composed(tokenizer: Any, template: str, limit: int, impressions: list[str] = IMPRESSIONS) -> str:
    prompt = PromptTokens(tokenizer, template, limit)
    (head,) = prompt.heads([FINDINGS])
    ids = prompt.compose(head, prompt.impressions(impressions))
    assert len(ids) <= limit and ids[-1] == tokenizer.eos_token_id and tokenizer.eos_token_id not in ids[:-1]
    return read(tokenizer, ids)


def test_each_impression_stands_behind_a_separator(tokenizer: Any) -> None:
    assert composed(tokenizer, TEMPLATE, 500) == (
        f"Findings: {FINDINGS} Similar reports say:<sep> Known nodule on the left.<sep> No change."
        "<sep> Known hernia on the right. Impression:</s>"
    )


def test_without_a_separator_token_each_begins_a_line(plain_tokenizer: Any) -> None:
    prompt = PromptTokens(plain_tokenizer, TEMPLATE, 500)
    (head,) = prompt.heads([FINDINGS])
    text = plain_tokenizer.decode(prompt.compose(head, prompt.impressions(IMPRESSIONS)))
    assert [line.strip() for line in text.split("\n- ")][1:3] == ["Known nodule on the left.", "No change."]


def test_without_similar_reports_the_prompt_is_the_text_as_it_is(tokenizer: Any) -> None:
    template = "Findings: {input}\n\nImpression:"
    prompt = PromptTokens(tokenizer, template, 500)
    whole = tokenizer(template.replace("{input}", FINDINGS))["input_ids"]
    assert prompt.heads([FINDINGS]) == [whole] and prompt.compose(whole, []) == whole
    assert prompt.length(whole) == len(whole)


def test_impressions_give_way_before_findings_do(tokenizer: Any) -> None:
    prompt = PromptTokens(tokenizer, TEMPLATE, 500)
    needed = prompt.length(prompt.heads([FINDINGS])[0])
    lengths = [len(ids) for ids in prompt.impressions(IMPRESSIONS)]
    assert "<sep>" not in composed(tokenizer, TEMPLATE, needed)
    first_only = composed(tokenizer, TEMPLATE, needed + lengths[0])
    assert first_only.count("<sep>") == 1 and IMPRESSIONS[0] in first_only
    # The first is too long for the room, the second is not.
    second_only = composed(tokenizer, TEMPLATE, needed + lengths[1])
    assert second_only.count("<sep>") == 1 and "No change." in second_only
    for limit in (needed, needed + lengths[1], needed + lengths[0]):
        assert f"Findings: {FINDINGS} Similar" in composed(tokenizer, TEMPLATE, limit)


def test_findings_too_long_alone_are_cut_and_what_the_task_says_is_not(tokenizer: Any) -> None:
    prompt = PromptTokens(tokenizer, TEMPLATE, 500)
    (head,) = prompt.heads([FINDINGS])
    shorter = PromptTokens(tokenizer, TEMPLATE, prompt.length(head) - 3)
    ids = shorter.compose(shorter.cut(head), shorter.impressions(IMPRESSIONS))
    text = read(tokenizer, ids)
    assert len(ids) == shorter.max_input_tokens
    assert text.startswith("Findings: There is") and text.endswith("Similar reports say: Impression:</s>")
    assert FINDINGS not in text


def test_no_prompt_is_cut_unless_somebody_cuts_it(tokenizer: Any) -> None:
    prompt = PromptTokens(tokenizer, TEMPLATE, 500)
    (head,) = prompt.heads([FINDINGS])
    with pytest.raises(ValueError, match=f"a prompt of {prompt.length(head)} tokens is longer than"):
        PromptTokens(tokenizer, TEMPLATE, prompt.length(head) - 1).compose(head, [])


@pytest.mark.parametrize("template", [TEMPLATE, "Findings: {input}\n\nImpression:", "{input}"])
def test_the_room_is_what_an_input_may_fill(tokenizer: Any, template: str) -> None:
    prompt = PromptTokens(tokenizer, template, 200)
    (needed,), (alone,) = prompt.lengths([FINDINGS]), prompt.input_lengths([FINDINGS])
    # Never more than there is; spaces beside the input may be counted twice.
    assert 0 <= (200 - prompt.room) - (needed - alone) <= 2


def test_a_template_that_leaves_no_room_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ArgumentError, match="prompt_template alone fills max_input_tokens"):
        PromptTokens(tokenizer, TEMPLATE, 12)


@pytest.mark.parametrize("template", ["{similar} {input}", "{input} {similar} {similar}"])
def test_similar_impressions_stand_once_and_behind_the_input(template: str) -> None:
    with pytest.raises(ArgumentError, match=r"may contain \{similar\} once, behind \{input\}"):
        check_prompt_template(template)
