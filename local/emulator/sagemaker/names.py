"""ARNs of the one account and region that the local AWS has."""

from local.emulator.environment import ACCOUNT, REGION

_PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


def arn(kind: str, name: str) -> str:
    """`arn("endpoint", "a")` -> `arn:aws:sagemaker:<region>:<account>:endpoint/a`. AWS keeps the name's case."""
    return f"{_PREFIX}{kind}/{name}"


def name_of(kind: str, name_or_arn: str) -> str:
    """The name in an ARN of this kind; a plain name as it is."""
    return name_or_arn.removeprefix(f"{_PREFIX}{kind}/")
