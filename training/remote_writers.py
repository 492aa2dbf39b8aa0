"""Models that write examples elsewhere: Amazon Bedrock's, and one behind a SageMaker endpoint.

Prompts, and so training texts, leave the job (training/remote_models.py).
"""

from collections.abc import Sequence
from typing import Any

from training.example_prompts import ExamplePrompt
from training.example_writers import BEDROCK, ENDPOINT, TOP_P, Answer, Sampling
from training.remote_models import BEDROCK_RUNTIME, SAGEMAKER_RUNTIME, client_of, converse, invoke_endpoint


class BedrockWriter:
    """A model of Bedrock by its id, or that of an inference profile. Takes no seed: every run draws anew."""

    provider = BEDROCK
    prompts_a_call = 1
    one_text_a_prompt = False

    def __init__(self, model: str, sampling: Sampling, client: Any = None) -> None:
        """`client` is boto3's of bedrock-runtime, by default one with the job's own rights."""
        self.model = model
        self._sampling = sampling
        self._client = client or client_of(BEDROCK_RUNTIME)

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: ExamplePrompt) -> Answer:
        sampling = self._sampling
        reply = converse(
            self._client,
            self.model,
            prompt.as_request,
            max_new_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature,
        )
        return Answer(reply.text, cut_off=reply.stop_reason == "max_tokens")


class EndpointWriter:
    """An endpoint that continues text, as text-generation-inference does, in which JumpStart's Falcon is served."""

    provider = ENDPOINT
    prompts_a_call = 1
    one_text_a_prompt = False

    def __init__(self, endpoint: str, sampling: Sampling, client: Any = None) -> None:
        """`client` is boto3's of sagemaker-runtime, by default one with the job's own rights."""
        self.model = endpoint
        self._sampling = sampling
        self._client = client or client_of(SAGEMAKER_RUNTIME)
        self._asked = 0

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: ExamplePrompt) -> Answer:
        parameters = {
            "max_new_tokens": self._sampling.max_new_tokens,
            "temperature": self._sampling.temperature,
            "top_p": TOP_P,
            "do_sample": True,
            "return_full_text": False,
            # Another one for each prompt: equal noise would favour the same words in every answer.
            "seed": self._sampling.seed + self._asked,
        }
        self._asked += 1
        (text,) = invoke_endpoint(self._client, self.model, prompt.as_list, parameters)
        # It does not say whether it came to an end.
        return Answer(f"{prompt.next_number}{text}", cut_off=True)
