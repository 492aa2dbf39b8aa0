"""Keeps the SageMaker SDK from looking anything up.

`cdk synth` must work without an account, without credentials and without network, and must not depend on what happens
to lie in the home folder of whoever runs it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# What the SDK would otherwise look up: a role in IAM, credentials on an EC2 instance, a profile in the home folder.
_ENVIRONMENT: dict[str, str | None] = {
    "SAGEMAKER_VALIDATE_ROLE": "false",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "placeholder",
    "AWS_SECRET_ACCESS_KEY": "placeholder",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_PROFILE": None,
}


@contextmanager
def offline(region: str) -> Iterator[None]:
    """Keep the SDK from looking anything up while a definition is built."""
    wanted = {**_ENVIRONMENT, "AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
