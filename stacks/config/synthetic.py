"""Examples that a model writes of the rare label: what a task file says about them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.config.values import ARGUMENT_LIMIT, BedrockModelId, EndpointName, Model
from stacks.settings import Settings

_NEEDED = {"model": "model", "bedrock": "model_id", "endpoint": "endpoint"}


class Synthetic(Settings):
    """`count` examples, written from `examples_a_prompt` training texts at a time.

    `provider` says what writes: `model` a causal language model that the job loads itself, `bedrock` the model
    `model_id` of Amazon Bedrock, `endpoint` a SageMaker endpoint, such as one that JumpStart made. With the last two,
    training texts leave the pipeline's jobs for that service. `description` tells it what the texts have in common: it
    goes on after "a text that". `max_seconds` 0 means no limit.
    """

    provider: Literal["model", "bedrock", "endpoint"]
    model: Model | None = None
    model_id: BedrockModelId | None = None
    endpoint: EndpointName | None = None
    description: Annotated[str, Field(min_length=1, max_length=ARGUMENT_LIMIT)]
    count: Annotated[int, Field(ge=1, le=100_000)]
    examples_a_prompt: Annotated[int, Field(ge=1, le=20)] = 5
    max_new_tokens: Annotated[int, Field(ge=16, le=4096)] = 256
    temperature: Annotated[float, Field(gt=0, le=5)]
    max_seconds: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _has_what_its_provider_needs(self) -> Self:
        given = {name for name in _NEEDED.values() if getattr(self, name) is not None}
        if given != {_NEEDED[self.provider]}:
            raise ValueError(f"provider {self.provider} takes {_NEEDED[self.provider]}, got {sorted(given)}")
        if self.model is not None and self.model.source not in ("huggingface", "s3"):
            raise ValueError(f"model.source must be huggingface or s3 for synthetic examples, got {self.model.source}")
        return self
