"""ARNs of the one account and region that the local AWS has."""

from local.emulator.environment import ACCOUNT, REGION

_PREFIX = f"arn:aws:quicksight:{REGION}:{ACCOUNT}:"
# The namespace that every account has; there is no other here.
NAMESPACE = "default"


def arn(kind: str, *names: str) -> str:
    """`arn("dataset", "a", "ingestion", "b")` -> `arn:aws:quicksight:<region>:<account>:dataset/a/ingestion/b`."""
    return _PREFIX + "/".join((kind, *names))
