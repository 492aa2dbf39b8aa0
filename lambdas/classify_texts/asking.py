"""Asks the live endpoint about texts, and believes only an answer that is exactly what was asked for."""

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.errors import AnswerError, RefusedError
from lambdas.structured_log import log_event

# Seconds that one request may take, and what the rest of a batch needs after it.
READ_SECONDS, RESERVE_SECONDS = 30, 15
# Of one request; SageMaker takes 6 MB at least.
REQUEST_BYTES = 4 * 1024**2
# From this attempt on a text is asked about alone, so that whatever it does to the endpoint harms no other.
ALONE_FROM_ATTEMPT = 3
_JSON = "application/json"
# Of 4xx these say nothing about the request: it took too long, or there were too many.
_LATER = (408, 429)


@dataclass(frozen=True)
class Question:
    """`id` is the text's identity; `attempts` how often it was received, this time included."""

    id: str
    text: str
    attempts: int


@dataclass(frozen=True)
class Answer:
    """`probability` of the positive label, in [0, 1]."""

    label: str
    probability: float
    model_version: str


@dataclass(frozen=True)
class LiveEndpoint:
    """An endpoint, through a boto3 client of sagemaker-runtime. `labels` are those that it may answer."""

    runtime: Any
    name: str
    labels: frozenset[str]

    def ask(self, questions: Sequence[Question]) -> dict[str, Answer]:
        """The answer to each question, by its id.

        Raises:
            RefusedError: the model refuses the request.
            AnswerError: the endpoint is away or throttled, or its answer is not what was asked for.
        """
        inputs = [{"id": question.id, "text": question.text} for question in questions]
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.name,
                ContentType=_JSON,
                Accept=_JSON,
                Body=json.dumps({"inputs": inputs}, ensure_ascii=False).encode(),
            )
            body = answer["Body"].read()
        except ClientError as error:
            # Neither message is passed on: the container's may hold anything.
            status = error.response.get("OriginalStatusCode", 0)
            if 400 <= status < 500 and status not in _LATER:
                raise RefusedError(f"the model refused {len(inputs)} text(s) with status {status}") from None
            code = error.response["Error"]["Code"]
            raise AnswerError(f"the endpoint could not be asked: {code}" + (f" ({status})" if status else "")) from None
        except BotoCoreError as error:
            raise AnswerError(f"the endpoint could not be reached: {type(error).__name__}") from None
        return self._checked(body, {question.id for question in questions})

    def _checked(self, body: bytes, ids: set[str]) -> dict[str, Answer]:
        try:
            entries = json.loads(body)
        except (ValueError, RecursionError):
            raise AnswerError("the answer is not JSON") from None
        if not isinstance(entries, list) or len(entries) != len(ids):
            raise AnswerError("the answer is not a list with one entry for each text")
        answers = {}
        for entry in entries:
            name = entry.get("id") if isinstance(entry, dict) else None
            if not isinstance(name, str) or name not in ids:
                raise AnswerError("an entry of the answer is about no text that was asked about")
            answers[name] = self._answer(entry)
        if answers.keys() != ids:
            raise AnswerError("the answer is about one text twice")
        return answers

    def _answer(self, entry: Mapping[str, Any]) -> Answer:
        label, probability, version = (entry.get(name) for name in ("label", "probability", "model_version"))
        if not isinstance(label, str) or label not in self.labels:
            raise AnswerError("the label of an answer is none of the task's")
        if not isinstance(probability, (int, float)) or isinstance(probability, bool):
            raise AnswerError("the probability of an answer is not a number")
        if not (math.isfinite(probability) and 0 <= probability <= 1):
            raise AnswerError("the probability of an answer is not in [0, 1]")
        if not isinstance(version, str) or not version:
            raise AnswerError("an answer does not say which model gave it")
        return Answer(label, float(probability), version)


def ask_all(
    endpoint: LiveEndpoint,
    questions: Sequence[Question],
    texts_a_call: int,
    remaining: Callable[[], float],
    logger: logging.Logger,
) -> dict[str, Answer]:
    """The answers that could be had, by id; for what is missing the log has a line with reason and count.

    A request that the model refuses is asked again text by text, so that one text cannot stop the others. None is
    begun when too few of the function's seconds (`remaining`) are left.
    """
    answers: dict[str, Answer] = {}
    waiting = list(_groups(questions, texts_a_call))
    while waiting:
        if remaining() < READ_SECONDS + RESERVE_SECONDS:
            log_event(logger, "no_time_left", level=logging.WARNING, texts=sum(len(group) for group in waiting))
            break
        group = waiting.pop(0)
        try:
            answers |= endpoint.ask(group)
        except AnswerError as error:
            if isinstance(error, RefusedError) and len(group) > 1:
                waiting = [*([question] for question in group), *waiting]
            log_event(
                logger,
                "not_answered",
                level=logging.ERROR,
                texts=len(group),
                error=type(error).__name__,
                reason=str(error),
            )
    return answers


def _groups(questions: Sequence[Question], most: int) -> Iterator[list[Question]]:
    group: list[Question] = []
    size = 0
    for question in questions:
        if question.attempts >= ALONE_FROM_ATTEMPT:
            continue
        # Escapes can double a text, rarely more; the limit has room for that.
        length = len(question.text.encode())
        if group and (len(group) == most or size + length > REQUEST_BYTES):
            yield group
            group, size = [], 0
        group.append(question)
        size += length
    if group:
        yield group
    # Last, so that they keep nobody waiting.
    yield from ([question] for question in questions if question.attempts >= ALONE_FROM_ATTEMPT)
