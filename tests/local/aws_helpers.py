"""What the tests of the local AWS share: names, waiting, models, pipelines, functions, stacks."""

import io
import itertools
import json
import tarfile
import time
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

from local.aws import LocalAws

ROLE = "arn:aws:iam::000000000000:role/tests"
_REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{_REGISTRY}/huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04"
WAIT_SECONDS = 30.0
_numbers = itertools.count(1)
Found = TypeVar("Found")


def unique(prefix: str) -> str:
    """A name that no other test of this session has."""
    return f"{prefix}-{next(_numbers)}"


def wait_for(look: Callable[[], Found | None], what: str, seconds: float = WAIT_SECONDS) -> Found:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)
    return found


def bucket(aws: LocalAws, prefix: str = "bucket") -> str:
    name = unique(prefix)
    aws.client("s3").create_bucket(Bucket=name)
    return name


def model_archive(files: dict[str, str]) -> bytes:
    """A .tar.gz of these texts."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


def upload_model(aws: LocalAws, answer: str) -> str:
    """A model whose stand-in server gives `answer`; the S3 URI of its archive."""
    where = bucket(aws, "models")
    aws.client("s3").put_object(Bucket=where, Key="model.tar.gz", Body=model_archive({"answer.txt": answer}))
    return f"s3://{where}/model.tar.gz"


def create_model(aws: LocalAws, container: dict[str, Any]) -> str:
    name = unique("model")
    aws.client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


def create_config(aws: LocalAws, model: str) -> str:
    name = unique("config")
    variant = {
        "VariantName": "main",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "ContainerStartupHealthCheckTimeoutInSeconds": 60,
    }
    aws.client("sagemaker").create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return name


def config_with_answer(aws: LocalAws, answer: str) -> str:
    return create_config(aws, create_model(aws, {"Image": IMAGE, "ModelDataUrl": upload_model(aws, answer)}))


def settled(aws: LocalAws, endpoint: str) -> dict[str, Any]:
    """An endpoint's description once nothing is under way."""

    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = aws.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        return described if described["EndpointStatus"] in ("InService", "Failed") else None

    return wait_for(look, f"endpoint {endpoint}")


def processing_step(name: str, script: str, **more: Any) -> dict[str, Any]:
    """A step that runs a line of Python."""
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", script]},
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps)})


def create_pipeline(aws: LocalAws, body: str) -> str:
    name = unique("pipeline")
    aws.client("sagemaker").create_pipeline(
        PipelineName=name, PipelineDefinition=body, RoleArn=ROLE, ClientRequestToken=unique("token-".ljust(32, "x"))
    )
    return name


def ended(aws: LocalAws, execution: str) -> dict[str, Any]:
    """A pipeline execution's description once it has ended."""

    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = aws.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=execution)
        return None if described["PipelineExecutionStatus"] in ("Executing", "Stopping") else described

    return wait_for(look, f"execution {execution}")


def function(aws: LocalAws, source: str, **settings: Any) -> str:
    """A Lambda function of this source, with `handler(event, context)`; its ARN."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("code.py", source)
    created = aws.client("lambda").create_function(
        FunctionName=unique("function"),
        Runtime="python3.12",
        Role=ROLE,
        Handler="code.handler",
        Code={"ZipFile": content.getvalue()},
        Timeout=20,
        **settings,
    )
    return str(created["FunctionArn"])


def event_queue(aws: LocalAws, *detail_types: str) -> str:
    """A queue that gets every SageMaker event of these types from now on; its URL."""
    sqs, events = aws.client("sqs"), aws.client("events")
    url = str(sqs.create_queue(QueueName=unique("events"))["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = unique("rule")
    pattern = {"source": ["aws.sagemaker"], "detail-type": list(detail_types)}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def received(aws: LocalAws, queue: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message of a queue, as JSON, that is wanted."""
    sqs = aws.client("sqs")

    def look() -> dict[str, Any] | None:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            body: dict[str, Any] = json.loads(message["Body"])
            if wanted(body):
                return body
        return None

    return wait_for(look, f"a message in {queue}")
