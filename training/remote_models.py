"""Models that answer elsewhere: Amazon Bedrock's by Converse, and those behind a SageMaker endpoint.

What may pass (throttling, a model that is not ready, a lost connection) is tried again by botocore with growing pauses;
anything else is an error. Prompts leave the job: to the account's own endpoint, or to Bedrock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from training.errors import GenerationError, RefusedCallError
from training.generated_texts import generated_texts

BEDROCK_RUNTIME, SAGEMAKER_RUNTIME = "bedrock-runtime", "sagemaker-runtime"
_RETRIES = {"mode": "standard", "total_max_attempts": 6}
# A real-time endpoint gives up after 60 seconds. Bedrock writes on, and what was given up is paid all the same.
_READ_SECONDS = {SAGEMAKER_RUNTIME: 70, BEDROCK_RUNTIME: 600}


def settings_of(service: str) -> Config:
    """How long one of the two services is waited for, and how often a call is tried."""
    settings: Any = {"connect_timeout": 10, "read_timeout": _READ_SECONDS[service], "retries": _RETRIES}
    return Config(**settings)


def client_of(service: str) -> Any:
    """boto3's client of one of the two services, in the job's region."""
    return boto3.client(service, config=settings_of(service))


@dataclass(frozen=True)
class Reply:
    """An answer of Bedrock. `stop_reason` is Converse's word; the tokens are those that it bills, 0 if it says none."""

    text: str
    stop_reason: str | None
    input_tokens: int
    output_tokens: int


def converse(client: Any, model_id: str, text: str, *, max_new_tokens: int, temperature: float) -> Reply:
    """Ask a model of Bedrock, or that of an inference profile, with one message.

    Raises:
        RefusedCallError: Bedrock refuses the call.
        GenerationError: it answers without a message.
    """
    # Without topP: some models refuse it beside a temperature.
    inference = {"maxTokens": max_new_tokens, "temperature": temperature}
    model = f"model {model_id} of Bedrock"
    try:
        response = client.converse(
            modelId=model_id,
            messages=[{"role": "user", "content": [{"text": text}]}],
            inferenceConfig=inference,
        )
        blocks = response["output"]["message"]["content"]
        usage = response.get("usage", {})
        return Reply(
            "".join(block.get("text", "") for block in blocks),
            response.get("stopReason"),
            usage.get("inputTokens", 0),
            usage.get("outputTokens", 0),
        )
    except (BotoCoreError, ClientError) as error:
        raise RefusedCallError(model, error) from error
    except (ResponseParserError, KeyError) as error:
        raise GenerationError(f"{model} answered without a message") from error


def invoke_endpoint(
    client: Any, endpoint: str, inputs: str | Sequence[str], parameters: Mapping[str, Any]
) -> list[str]:
    """What an endpoint generates of one text, or of each of several.

    Raises:
        RefusedCallError: SageMaker or the model's container refuses the call.
        GenerationError: the answer is of another form than `[{"generated_text": "..."}]`, or of other texts.
    """
    try:
        response = client.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps({"inputs": inputs, "parameters": parameters}),
        )
        body = response["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise RefusedCallError(f"endpoint {endpoint}", error) from error
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(inputs, str) and isinstance(answer, dict):
        # Asked about one text, some containers (DJL's) answer with the one object.
        answer = [answer]
    return generated_texts(answer, 1 if isinstance(inputs, str) else len(inputs), f"endpoint {endpoint}")
