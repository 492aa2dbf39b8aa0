"""A model of Amazon Bedrock as a candidate: one text a call, by Converse. Texts leave the account's own machines."""

import re
from collections.abc import Sequence
from typing import Any

from training.candidates.outcomes import Answers, Outcome, Unanswered, UnansweredError
from training.candidates.services import Backoff, tried, without_answer
from training.errors import GenerationError, RefusedCallError
from training.remote_models import Reply, converse

FILTERED = ("guardrail_intervened", "content_filtered")
WINDOW_EXCEEDED = "model_context_window_exceeded"
# Only to tell which refusal it is: there is one code for all that is wrong with a request.
_TOO_LONG = re.compile(
    r"too long|too many (input )?tokens|tokens exceed|maximum context length|exceeds? .{0,40}(context|length)",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"(?:too long:|token count:)\s*(\d+)")


class BedrockCandidate:
    """Asks for the likeliest answer: temperature 0."""

    texts_a_call = 1

    def __init__(self, client: Any, model_id: str, max_new_tokens: int, backoff: Backoff) -> None:
        """`client` is boto3's of bedrock-runtime."""
        self._client = client
        self._model_id = model_id
        self._max_new_tokens = max_new_tokens
        self._backoff = backoff

    def ask(self, texts: Sequence[str]) -> Answers:
        (text,) = texts
        try:
            reply = self._reply(text)
        except UnansweredError as error:
            return Answers([error.outcome])
        return Answers([_outcome(reply)], reply.input_tokens, reply.output_tokens)

    def _reply(self, text: str) -> Reply:
        def call() -> Reply:
            return converse(self._client, self._model_id, text, max_new_tokens=self._max_new_tokens, temperature=0.0)

        try:
            return tried(call, self._backoff)
        except RefusedCallError as error:
            if error.kind == "ValidationException" and _TOO_LONG.search(str(error.error)):
                told = _LENGTH.search(str(error.error))
                length = f"{told[1]} tokens" if told else f"{len(text)} characters (Bedrock does not say the tokens)"
                raise UnansweredError(f"the prompt is longer than the model reads: {length}") from error
            raise without_answer(error) from error
        except GenerationError as error:
            raise UnansweredError(str(error), lasting=True) from error


def _outcome(reply: Reply) -> Outcome:
    if reply.stop_reason in FILTERED:
        return Unanswered(f"a content filter refused it: {reply.stop_reason}")
    if reply.stop_reason == WINDOW_EXCEEDED:
        tokens = reply.input_tokens + reply.output_tokens
        return Unanswered(f"the prompt is longer than the model reads: {tokens} tokens with the answer's beginning")
    return reply.text
