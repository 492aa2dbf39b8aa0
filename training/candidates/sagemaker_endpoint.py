"""A SageMaker endpoint as a candidate: a foundation model as it is, or somebody's own container.

A foundation model is asked by text-generation-inference's form, one text a call, unless more are wanted at once; a
container of one's own gets a list of texts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from training.candidates.outcomes import Answers, UnansweredError, each_alone
from training.candidates.services import Backoff, status_of_container, tried, without_answer
from training.errors import GenerationError, RefusedCallError
from training.remote_models import invoke_endpoint

_FIRST_SERVER_ERROR = 500


class EndpointCandidate:
    """`parameters` are sent with each call."""

    def __init__(
        self,
        client: Any,
        endpoint: str,
        parameters: Mapping[str, Any],
        backoff: Backoff,
        *,
        texts_a_call: int,
        as_list: bool,
    ) -> None:
        """`client` is boto3's of sagemaker-runtime."""
        self.texts_a_call = texts_a_call
        self._client = client
        self._endpoint = endpoint
        self._parameters = parameters
        self._backoff = backoff
        self._as_list = as_list

    def ask(self, texts: Sequence[str]) -> Answers:
        return Answers(each_alone(self._ask, texts))

    def _ask(self, texts: Sequence[str]) -> list[str]:
        inputs = list(texts) if self._as_list else texts[0]

        def call() -> list[str]:
            return invoke_endpoint(self._client, self._endpoint, inputs, self._parameters)

        try:
            # Some servers give the prompt back in front of what they add to it.
            return [answer.removeprefix(text) for text, answer in zip(texts, tried(call, self._backoff), strict=True)]
        except RefusedCallError as error:
            raise self._refused(error, len(texts)) from error
        except GenerationError as error:
            raise UnansweredError(str(error), lasting=len(texts) == 1) from error

    def _refused(self, refusal: RefusedCallError, texts: int) -> GenerationError:
        # SageMaker's word for an endpoint that does not exist.
        if refusal.kind == "ValidationError":
            return refusal
        if refusal.kind == "ModelError" and isinstance(refusal.error, ClientError):
            status = status_of_container(refusal.error)
            return UnansweredError(
                f"endpoint {self._endpoint}: its container answered with status {status}",
                # Of several texts one alone may be what it cannot take.
                lasting=status >= _FIRST_SERVER_ERROR and texts == 1,
            )
        return without_answer(refusal)
