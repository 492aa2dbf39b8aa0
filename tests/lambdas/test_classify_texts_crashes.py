"""Each text once, whatever dies, stalls or gets lost at whatever moment.

A batch is handled once to count its calls to AWS. Then it is handled again and again, each time with something that
happens right before or right after one of these calls.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator

import pytest

from tests.lambdas.stream_world import LEASE, AnswerLost, Died, World, nothing, text_record

_quiet = logging.getLogger("crashes")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

# Two days (so two files), one text twice, one with an id; three of them with a notice.
RECORDS = [
    text_record(1, {"text": "a rash p=0.9"}),
    text_record(2, {"text": "nothing new"}),
    text_record(3, {"text": "nothing new"}),
    text_record(4, {"text": "jaundice p=0.85", "id": "17", "source": "clinic"}),
    text_record(5, {"text": "fever p=0.81"}, sent_at=1_772_323_200.0),
]
TEXTS = ["a rash p=0.9", "fever p=0.81", "jaundice p=0.85", "nothing new"]


def world() -> World:
    return World(_quiet)


def moments() -> Iterator[tuple[str, int]]:
    """Every moment of handling the batch."""
    undisturbed = world()
    assert undisturbed.handle(RECORDS) == []
    assert undisturbed.texts == TEXTS
    for call in range(1, undisturbed.calls + 1):
        yield "before", call
        yield "after", call


MOMENTS = list(moments())


def at(moment: tuple[str, int], happens: Callable[[], None]) -> Callable[[str, int], None]:
    """Lets something happen at a moment, once."""
    waiting = [moment]

    def at_call(when: str, number: int) -> None:
        if waiting and waiting[0] == (when, number):
            waiting.clear()
            happens()

    return at_call


def dies() -> None:
    raise Died


def answer_is_lost() -> None:
    raise AnswerLost


def check(stream: World) -> None:
    assert stream.texts == TEXTS
    told = {notice["event_id"] for notice in stream.topic.notices}
    assert told == {row["event_id"] for row in stream.rows if row["notified"]}
    assert len(told) == 3
    # Whatever comes again from now on is known.
    asked, notices = len(stream.endpoint.asked), len(stream.topic.notices)
    assert stream.handle(RECORDS) == []
    assert (stream.texts, len(stream.endpoint.asked), len(stream.topic.notices)) == (TEXTS, asked, notices)


@pytest.mark.parametrize("moment", MOMENTS, ids="{0[0]} call {0[1]}".format)
def test_a_function_that_dies_loses_nothing_and_repeats_nothing(moment: tuple[str, int]) -> None:
    stream = world()
    stream.at_call = at(moment, dies)
    with pytest.raises(Died):
        stream.handle(RECORDS)
    stream.deliver_until_rest(RECORDS)
    check(stream)


@pytest.mark.parametrize("moment", MOMENTS, ids="{0[0]} call {0[1]}".format)
def test_a_function_that_dies_twice_at_the_same_place_is_taken_over_again(moment: tuple[str, int]) -> None:
    stream = world()
    for _ in range(2):
        stream.calls = 0
        stream.at_call = at(moment, dies)
        stream.now += LEASE + 1
        with contextlib.suppress(Died):
            stream.handle(RECORDS)
    stream.at_call = nothing
    stream.deliver_until_rest(RECORDS)
    check(stream)


@pytest.mark.parametrize("after_the_lease", [False, True], ids=["at once", "stalled"])
@pytest.mark.parametrize("moment", MOMENTS, ids="{0[0]} call {0[1]}".format)
def test_another_function_that_gets_the_same_texts_meanwhile_writes_none_twice(
    moment: tuple[str, int], after_the_lease: bool
) -> None:
    stream = world()
    failed: list[str] = []

    def another_runs() -> None:
        if after_the_lease:
            stream.now += LEASE + 1
        failed.extend(stream.handle(RECORDS))

    stream.at_call = at(moment, another_runs)
    failed += stream.handle(RECORDS)
    stream.deliver_until_rest([record for record in RECORDS if record["messageId"] in failed])
    check(stream)


@pytest.mark.parametrize("moment", [m for m in MOMENTS if m[0] == "after"], ids="{0[0]} call {0[1]}".format)
def test_what_was_done_and_not_heard_of_is_not_done_twice(moment: tuple[str, int]) -> None:
    """boto3 asks again when an answer is lost: the call is done a second time."""
    stream = world()
    stream.at_call = at(moment, answer_is_lost)
    failed = stream.handle(RECORDS)
    stream.deliver_until_rest([record for record in RECORDS if record["messageId"] in failed])
    check(stream)
