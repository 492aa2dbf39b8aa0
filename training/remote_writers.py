"""Models that write examples elsewhere: Amazon Bedrock's, and one behind a SageMaker endpoint.

What may pass (throttling, a model that is not ready, a lost connection) is tried again by botocore with growing pauses;
anything else is an error. Prompts, and so training texts, leave the job: to the account's own endpoint, or to Bedrock.
"""

import json
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from training.errors import GenerationError
from training.example_prompts import ExamplePrompt
from training.example_writers import BEDROCK, ENDPOINT, TOP_P, Answer, Sampling

# A real-time endpoint gives up after 60 seconds.
RETRIES = Config(connect_timeout=10, read_timeout=70, retries={"mode": "standard", "total_max_attempts": 6})


class BedrockWriter:
    """A model of Bedrock by its id, or that of an inference profile. Takes no seed: every run draws anew."""

    provider = BEDROCK
    prompts_a_call = 1

    def __init__(self, model: str, sampling: Sampling, client: Any = None) -> None:
        """`client` is boto3's of bedrock-runtime, by default one with the job's own rights."""
        self.model = model
        self._sampling = sampling
        self._client = client or boto3.client("bedrock-runtime", config=RETRIES)

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        return [self._answer(prompt) for prompt in prompts]

    def _answer(self, prompt: ExamplePrompt) -> Answer:
        # Without topP: some models refuse it beside a temperature.
        inference = {"maxTokens": self._sampling.max_new_tokens, "temperature": self._sampling.temperature}
        try:
            response = self._client.converse(
                modelId=self.model,
                messages=[{"role": "user", "content": [{"text": prompt.request}]}],
                inferenceConfig=inference,
            )
            blocks = response["output"]["message"]["content"]
            text = "".join(block.get("text", "") for block in blocks)
        except (BotoCoreError, ClientError) as error:
            raise _refused(f"model {self.model} of Bedrock", error) from error
        except KeyError as error:
            raise GenerationError(f"model {self.model} of Bedrock answered without a message") from error
        return Answer(text, cut_off=response.get("stopReason") == "max_tokens")


class EndpointWriter:
    """An endpoint that continues text, as text-generation-inference does, in which JumpStart's Falcon is served."""

    provider = ENDPOINT
    prompts_a_call = 1

    def __init__(self, endpoint: str, sampling: Sampling, client: Any = None) -> None:
        """`client` is boto3's of sagemaker-runtime, by default one with the job's own rights."""
        self.model = endpoint
        self._sampling = sampling
        self._client = client or boto3.client("sagemaker-runtime", config=RETRIES)
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
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self.model,
                ContentType="application/json",
                Accept="application/json",
                Body=json.dumps({"inputs": prompt.as_list, "parameters": parameters}),
            )
            body = response["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise _refused(f"endpoint {self.model}", error) from error
        # It does not say whether it came to an end.
        return Answer(f"{prompt.next_number}{_generated_text(body, self.model)}", cut_off=True)


def _generated_text(body: bytes, endpoint: str) -> str:
    try:
        (answer,) = json.loads(body)
        text = answer["generated_text"]
        if not isinstance(text, str):
            raise TypeError(type(text).__name__)
    except (ValueError, KeyError, TypeError) as error:
        raise GenerationError(
            f'endpoint {endpoint} answered in another form than [{{"generated_text": "..."}}], which is that of '
            "text-generation-inference"
        ) from error
    return text


def _refused(model: str, error: Exception) -> GenerationError:
    """Names the kind of error alone: its message may quote the prompt."""
    kind = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return GenerationError(f"{model} cannot be asked: {kind}; see whether it exists and the job may ask it")
