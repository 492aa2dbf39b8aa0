"""Values that are known only at deployment, and what stands for them while the SDK builds a definition.

The SDK wants plain strings where the CDK has tokens. `PLACEHOLDERS` is an `Environment` of such strings;
`fill_in` swaps them for the real values in the finished definition.
"""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Environment:
    """What a pipeline refers to. On AWS the values are CDK tokens, in tests plain strings.

    `source_file` is the last part of `source_key`: the name under which a job finds the code archive in a channel.
    `package_role` is None for a task without the step Package.
    """

    bucket: str
    key_arn: str
    source_bucket: str
    source_key: str
    source_file: str
    pipeline_role: str
    stage_model_role: str
    prepare_role: str
    fine_tune_role: str
    generate_role: str
    evaluate_role: str
    package_role: str | None


def _role(name: str) -> str:
    return f"arn:aws:iam::111111111111:role/placeholder-{name}"


PACKAGE_ROLE = _role("package")
PLACEHOLDERS = Environment(
    bucket="placeholder-data-bucket",
    key_arn="arn:aws:kms:us-east-1:111111111111:key/11111111-1111-1111-1111-111111111111",
    source_bucket="placeholder-source-bucket",
    source_key="placeholder/sourcedir.tar.gz",
    source_file="placeholder-source-file",
    pipeline_role=_role("pipeline"),
    stage_model_role=_role("stage-model"),
    prepare_role=_role("prepare"),
    fine_tune_role=_role("fine-tune"),
    generate_role=_role("generate"),
    evaluate_role=_role("evaluate"),
    package_role=PACKAGE_ROLE,
)


def fill_in(definition: Any, environment: Environment) -> Any:
    """Replace every placeholder, also inside longer strings such as S3 URIs."""
    pairs = [
        (getattr(PLACEHOLDERS, field.name), real)
        for field in fields(Environment)
        if (real := getattr(environment, field.name)) is not None
    ]

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, str):
            for placeholder, real in pairs:
                value = value.replace(placeholder, real)
        return value

    return fill(definition)
