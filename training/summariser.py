"""What a model answers to a text of any length: used by evaluation (training/generate.py) and by the endpoint alike.

A text that is longer than the model reads is never cut off. It is split into pieces (training/long_texts.py), each is
answered like a text of its own, and the answers are merged in their order; or it is refused, and whoever asked says so.

A piece is shown what was written of reports similar to the piece, not to the whole text: the model was trained on
inputs beside what is similar to what it reads, and what is similar to the whole would say the same of the whole beside
every piece. An answer of several pieces rested on what any of them was shown.

Method consensus does not read the text but looks up what is similar to it, so the whole text is asked, however long.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from training.consensus import NEIGHBOURS, consensus
from training.errors import ArgumentError
from training.generation import CONSENSUS, GREEDY, REFUSE, GenerationParameters, TextGenerator
from training.long_texts import TextSplitter, merge
from training.model_loading import answer_limit
from training.retrieval import Similar
from training.similar_impressions import find_similar

# Pieces whose prompts are held at once, as a multiple of the batch size.
POOL_BATCHES = 32
# Merged answers that are longer than the model reads are no summary: they are summarised again, at most so often. With
# answers of an eighth of what the model reads, two passes bring 200 pages down to what it reads at once.
PASSES = 3


@dataclass(frozen=True)
class Reading:
    """How a text will be read. `tokens` is the length of its prompt; `pieces` are what the model is asked about: none
    where the text is refused, or where there is `agreed`, the similar reports whose consensus is the answer."""

    tokens: int
    pieces: Sequence[str]
    agreed: Sequence[Similar] = ()

    @property
    def read_in(self) -> int:
        """How many pieces the text is read in: 0 for one that is refused, 1 for one whose similar reports agreed."""
        return 1 if self.agreed else len(self.pieces)

    @property
    def refused(self) -> bool:
        """It is longer than the model reads, and was not to be split."""
        return self.read_in == 0


@dataclass(frozen=True)
class Summary:
    """What was answered to a text: `num_return_sequences` answers, and the similar reports that they rested on, most
    similar first."""

    answers: list[str]
    similar: list[Similar]


class Summariser:
    """Asks one model in one way.

    Raises:
        ArgumentError: answers may be longer than the model has positions for, the prompt shows similar reports or the
            method is what they agree on, and there are none.
    """

    def __init__(
        self,
        generator: TextGenerator,
        parameters: GenerationParameters,
        batch_size: int,
        prompt_template: str | None = None,
    ) -> None:
        limit = answer_limit(generator.model.config)
        if limit is not None and parameters.max_new_tokens > limit:
            raise ArgumentError(f"max_new_tokens must be <= {limit} for this model, got {parameters.max_new_tokens}")
        if parameters.method == CONSENSUS and generator.similar is None:
            raise ArgumentError(f"method {CONSENSUS}: this model has no similar reports that could agree")
        self._generator = generator
        self._agrees = parameters.method == CONSENSUS
        self._refuses = parameters.long_inputs == REFUSE
        self._parameters = dataclasses.replace(parameters, method=GREEDY) if self._agrees else parameters
        self._batch_size = batch_size
        self._template = prompt_template
        self._prompt = generator.prompt(prompt_template)
        self._splitter = TextSplitter(self._prompt)

    @property
    def limit(self) -> int:
        """Tokens that the model reads at once, with the prompt."""
        return self._prompt.max_input_tokens

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """How each text will be read."""
        agreed = self._agreed(texts)
        return [self._reading(text, reports) for text, reports in zip(texts, agreed, strict=True)]

    def answer(self, readings: Sequence[Reading]) -> list[Summary]:
        """Answer each reading, in order; one that is refused has empty answers.

        Memory does not grow with the length of texts, beside the texts and the answers themselves.
        """
        asked = self._ask([reading.pieces for reading in readings])
        return [
            Summary([consensus(reading.agreed)], list(reading.agreed))
            if reading.agreed
            else self._summary(answers, similar)
            for reading, (answers, similar) in zip(readings, asked, strict=True)
        ]

    def _agreed(self, texts: Sequence[str]) -> Sequence[Sequence[Similar]]:
        similar = self._generator.similar
        return find_similar(similar, texts) if self._agrees and similar is not None else [()] * len(texts)

    def _reading(self, text: str, agreed: Sequence[Similar]) -> Reading:
        (tokens,) = self._prompt.lengths([text])
        if agreed:
            return Reading(tokens, (), agreed)
        if tokens <= self.limit:
            return Reading(tokens, [text])
        return Reading(tokens, [] if self._refuses else self._splitter.pieces(text))

    def _ask(self, texts: Sequence[Sequence[str]]) -> list[tuple[list[list[str]], list[list[Similar]]]]:
        """Of the pieces of each text: the answers to each, and what was similar to it."""
        asked: list[tuple[list[list[str]], list[list[Similar]]]] = [([], []) for _ in texts]
        stream = ((place, piece) for place, pieces in enumerate(texts) for piece in pieces)
        for block in _blocks(stream, POOL_BATCHES * self._batch_size):
            questions = self._generator.questions([piece for _, piece in block], self._template)
            found = self._generator.generate(questions, self._parameters, self._batch_size)
            for (place, _), question, answers in zip(block, questions, found, strict=True):
                asked[place][0].append(answers)
                asked[place][1].append(question.similar)
        return asked

    def _summary(self, answers: list[list[str]], similar: list[list[Similar]]) -> Summary:
        if not answers:
            return Summary([""] * self._parameters.num_return_sequences, [])
        if len(answers) == 1:
            return Summary(answers[0], similar[0])
        merged = [self._condensed(merge(some), place) for place, some in enumerate(zip(*answers, strict=True))]
        return Summary(merged, _most_similar(similar))

    def _condensed(self, text: str, place: int) -> str:
        """`text`, or what the model makes of it in its answer number `place` as long as it is longer than the model
        reads, and gets shorter."""
        for _ in range(PASSES):
            reading = self._reading(text, ())
            if len(reading.pieces) <= 1:
                break
            ((answers, _),) = self._ask([reading.pieces])
            shorter = merge([some[place] for some in answers])
            if not 0 < len(shorter) < len(text):
                break
            text = shorter
        return text


def _blocks(stream: Iterator[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    while block := list(islice(stream, size)):
        yield block


def _most_similar(found: Sequence[Sequence[Similar]]) -> list[Similar]:
    """Of what is similar to some pieces, each report once with its highest similarity, and as many as one text has."""
    best: dict[str, Similar] = {}
    for report in (report for reports in found for report in reports):
        if report.id not in best or report.similarity > best[report.id].similarity:
            best[report.id] = report
    return sorted(best.values(), key=lambda report: -report.similarity)[:NEIGHBOURS]
