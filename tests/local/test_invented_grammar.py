"""Templates of invented texts: what is written for them, and which are refused."""

import random

import pytest

from local.invented.grammar import (
    Choice,
    Mention,
    Parsed,
    Piece,
    TemplateError,
    join,
    parse,
    sentence_case,
    slots,
    write,
)
from local.invented.spelling import Typist


def written(template: str, option: int, **words: str) -> str:
    def pick(choice: Choice) -> Parsed:
        return choice.options[option % len(choice.options)]

    return join(write(parse(template), lambda slot: [Piece(words[slot], slot, words[slot])], pick))[0]


@pytest.mark.parametrize(
    ("option", "text"), [(0, "a fever after heparin"), (1, "a new fever, heparin aside"), (2, "a fever")]
)
def test_alternatives_nest_and_may_be_empty(option: int, text: str) -> None:
    assert written("a [|new|] fever [after {drug}|, {drug} aside|]", option, drug="heparin") == text


def test_a_phrase_is_written_like_a_template() -> None:
    phrases = {"when": parse("on day {number}"), "number": parse("two")}

    pieces = write(parse("seen {when}"), phrases.__getitem__, lambda choice: choice.options[0])

    assert join(pieces)[0] == "seen on day two"


def test_slots_are_found_in_every_alternative() -> None:
    assert list(slots(parse("{one} [two|{three} [{four}|]]"))) == ["one", "three", "four"]


@pytest.mark.parametrize("template", ["[a|b", "a]b", "a|b", "[a|[b]"])
def test_brackets_that_do_not_match_are_refused(template: str) -> None:
    with pytest.raises(TemplateError, match="bracket"):
        parse(template)


def test_mentions_stay_where_they_are_when_gaps_close_and_capitals_come() -> None:
    text, mentions = join([Piece("no "), Piece(" "), Piece("rash", "effect", "rash"), Piece(" . heparin?")])

    assert sentence_case(text) == "No rash. Heparin?"
    assert mentions == [Mention("effect", "rash", 3, 7)]


def test_slips_keep_the_first_letter_and_what_is_meant() -> None:
    typist = Typist(slips=1.0, lower=True, apostrophes=False, short_forms=True)
    pieces = [Piece("Don't stop because of "), Piece("Heparin", "drug", "heparin")]

    before, drug = typist.type(pieces, random.Random(0))

    assert before.text == "dont stop cos of "
    assert drug.text != "heparin"
    assert (drug.text[0], drug.kind, drug.name) == ("h", "drug", "heparin")
