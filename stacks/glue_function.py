"""A Lambda function of `lambdas/`, with an encrypted log and a dead-letter queue for what it could not do."""

from pathlib import Path

from aws_cdk import Duration, IgnoreMode, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

REPOSITORY = Path(__file__).resolve().parent.parent

# Lambda brings boto3; this code brings nothing else but the tables' description and their writer, and what reads lines.
_TRAINING = ("__init__", "table_schemas", "tables", "errors", "records", "text_lines", "csv_rows")
_CODE = ["*", "!lambdas", "!lambdas/**", "!training", *(f"!training/{name}.py" for name in _TRAINING), "**/__pycache__"]

# The layer is published by AWS, from one account for all commercial regions.
_PANDAS_LAYER_ACCOUNT = "336392948345"


def pandas_layer(stack: Stack, version: int) -> lambda_.ILayerVersion:
    """The layer that brings pyarrow to a stack's functions."""
    arn = f"arn:{stack.partition}:lambda:{stack.region}:{_PANDAS_LAYER_ACCOUNT}:layer:AWSSDKPandas-Python312:{version}"
    return lambda_.LayerVersion.from_layer_version_arn(stack, "PandasLayer", arn)


class GlueFunction(lambda_.Function):
    """The handler `lambdas.<name>.handler.handler`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        environment: dict[str, str],
        key: kms.IKey,
        timeout: Duration,
        layers: list[lambda_.ILayerVersion] | None = None,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        """`dead_letters` takes the events of a function that EventBridge or CloudFormation calls without waiting."""
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # Instead of AWS's managed policy, which allows to write to every log.
        role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            role=role,
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler=f"lambdas.{name}.handler.handler",
            code=lambda_.Code.from_asset(str(REPOSITORY), exclude=_CODE, ignore_mode=IgnoreMode.DOCKER),
            description=description,
            environment=environment,
            environment_encryption=key,
            log_group=log_group,
            timeout=timeout,
            memory_size=512,
            layers=layers,
            dead_letter_queue=dead_letters,
        )

    def allow(
        self, actions: list[str], resources: list[str], conditions: dict[str, dict[str, str]] | None = None
    ) -> None:
        """Let the function do `actions` on `resources`."""
        self.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
