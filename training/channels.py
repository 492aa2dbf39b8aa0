"""Names of a training job's channels. Imports nothing but the standard library: the stacks use it too."""

import re

from training.errors import ArgumentError

# As on the Hugging Face hub; "--" is not in a name there, so no two models share a channel.
_MODEL_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
# SageMaker's limit for a channel's name.
_LONGEST = 64


def channel_of(model_name: str) -> str:
    """The channel of one of several models to start from: `monologg--biobert_v1.1_pubmed` of
    `monologg/biobert_v1.1_pubmed`.

    Raises:
        ArgumentError: it is no model's name (owner/name, or name alone), or too long for a channel.
    """
    if not _MODEL_NAME.fullmatch(model_name):
        raise ArgumentError(f"model_name must be owner/name of letters, digits, '.', '_' and '-', got {model_name!r}")
    channel = model_name.replace("/", "--")
    if len(channel) > _LONGEST:
        raise ArgumentError(
            f"model_name {model_name} makes a channel of {len(channel)} characters, at most {_LONGEST} are allowed"
        )
    return channel
