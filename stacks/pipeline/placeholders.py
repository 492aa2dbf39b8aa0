"""Values that are known only at deployment, and what stands for them while the SDK builds a definition.

The SDK wants plain strings where the CDK has tokens. `PLACEHOLDERS` is an `Environment` of such strings;
`fill_in` swaps them for the real values in the finished definition.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Environment:
    """What a pipeline refers to. On AWS the values are CDK tokens, in tests plain strings.

    `source_file` is the last part of `source_key`: the name under which a job finds the code archive in a channel.
    `roles` are the ARNs of the job roles by kind of job, and of `pipeline`: those that the task's steps have.
    `handlers` are the S3 URIs of candidates' packed handlers by candidate.
    """

    bucket: str
    key_arn: str
    source_bucket: str
    source_key: str
    source_file: str
    roles: Mapping[str, str]
    handlers: Mapping[str, str]


def role(kind: str) -> str:
    """What stands for the role of a kind of job: stage_model, prepare, ..."""
    return f"{_ROLES}{kind}"


def handler_uri(candidate: str) -> str:
    """What stands for where a candidate's packed handler lies."""
    return f"{_HANDLERS}{candidate}.tar.gz"


_HANDLERS = "s3://placeholder-handlers/"
_ROLES = "arn:aws:iam::111111111111:role/placeholder-"
PLACEHOLDERS = Environment(
    bucket="placeholder-data-bucket",
    key_arn="arn:aws:kms:us-east-1:111111111111:key/11111111-1111-1111-1111-111111111111",
    source_bucket="placeholder-source-bucket",
    source_key="placeholder/sourcedir.tar.gz",
    source_file="placeholder-source-file",
    roles={},
    handlers={},
)


def fill_in(definition: Any, environment: Environment) -> Any:
    """Replace every placeholder, also inside longer strings such as S3 URIs.

    Raises:
        ValueError: a step has a role or a handler that `environment` does not know.
    """
    real = asdict(environment)
    # The longest first: no kind of job is then taken for one whose name it begins with.
    roles = sorted(real.pop("roles").items(), key=lambda item: -len(item[0]))
    pairs = [(role(kind), arn) for kind, arn in roles]
    pairs += [(handler_uri(candidate), uri) for candidate, uri in real.pop("handlers").items()]
    pairs += [(getattr(PLACEHOLDERS, name), value) for name, value in real.items()]

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, str):
            for placeholder, text in pairs:
                value = value.replace(placeholder, text)
            if _ROLES in value or _HANDLERS in value:
                raise ValueError(f"nothing for the placeholder {value!r}")
        return value

    return fill(definition)
