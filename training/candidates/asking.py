"""Asking a candidate about every record, call by call, until it is done, too dear, or nothing comes of it any more."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from training.candidates.asked_records import AskedRecords
from training.candidates.journal import Journal
from training.candidates.outcomes import Asker, Outcome, Unanswered
from training.candidates.prices import Prices, Usage
from training.candidates.prompts import CandidatePrompt
from training.records import is_encodable
from training.splits import Record

# Records that one after the other have no answer for the same reason, when that reason may hold for all.
MOST_IN_A_ROW = 5
SHOWN = Unanswered("it is one of the examples that the prompt shows")


class Asking:
    """One candidate's way through the records. `prompt` None gives it the inputs as they are."""

    def __init__(
        self,
        asker: Asker,
        prompt: CandidatePrompt | None,
        prices: Prices,
        max_dollars: float | None,
        journal: Journal,
    ) -> None:
        self._asker = asker
        self._prompt = prompt
        self._prices = prices
        self._max_dollars = max_dollars
        self._journal = journal
        self._usage = Usage()
        self._reason: str | None = None
        self._in_a_row = 0

    def run(self, asked: AskedRecords) -> str | None:
        """Write each call into the journal as it ends. Returns why not every record was asked about, or None.

        Raises:
            GenerationError: the candidate cannot be asked.
        """
        for name, records in asked.of_each_set():
            for some in _in_lists(records, self._asker.texts_a_call):
                if (reason := self._too_dear()) is not None:
                    return reason
                outcomes, usage = self._call(some)
                self._journal.call(name, some, outcomes, usage)
                self._usage = self._usage.plus(usage)
                for outcome in outcomes:
                    self._count(outcome)
                    if self._in_a_row == MOST_IN_A_ROW:
                        return f"{MOST_IN_A_ROW} records in a row had no answer, so no more were tried: {self._reason}"
        return None

    def _too_dear(self) -> str | None:
        dollars = self._prices.dollars(self._usage)
        if self._max_dollars is None or dollars is None or dollars < self._max_dollars:
            return None
        return (
            f"the cost limit of {self._max_dollars:g} dollars (max_dollars) was reached: about {dollars:.2g} were spent"
        )

    def _call(self, records: Sequence[Record]) -> tuple[list[Outcome], Usage]:
        asked = [record.input for record in records if not self._shows(record)]
        if not asked:
            return [SHOWN for _ in records], Usage()
        texts = [self._prompt.of(text) for text in asked] if self._prompt is not None else asked
        began = time.monotonic()
        answers = self._asker.ask(texts)
        usage = Usage(time.monotonic() - began, answers.input_tokens, answers.output_tokens)
        given = iter(answers.outcomes)
        return [SHOWN if self._shows(record) else _checked(next(given)) for record in records], usage

    def _shows(self, record: Record) -> bool:
        return self._prompt is not None and self._prompt.shows(record.input)

    def _count(self, outcome: Outcome) -> None:
        reason = outcome.reason if isinstance(outcome, Unanswered) and outcome.lasting else None
        self._in_a_row = 0 if reason is None else self._in_a_row + 1 if reason == self._reason else 1
        self._reason = reason


def _checked(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Unanswered):
        return outcome
    if not outcome.strip():
        return Unanswered("the answer is empty")
    return outcome.strip() if is_encodable(outcome) else Unanswered("the answer is no text that can be written down")


def _in_lists(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    remaining = iter(records)
    while some := list(islice(remaining, size)):
        yield some
