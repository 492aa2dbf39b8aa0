"""The ways of an event that the application relies on: functions that call SageMaker, ordered queues, dead letters."""

import json
from typing import Any

from local.aws import LocalAws
from tests.local.aws_helpers import (
    bucket,
    create_pipeline,
    definition,
    function,
    processing_step,
    received,
    unique,
    wait_for,
)

ECHO = """
import json, os, boto3
def handler(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"])
        boto3.client("s3").put_object(
            Bucket=os.environ["BUCKET"],
            Key=body["detail"]["name"],
            Body=json.dumps(record["attributes"]),
        )
        if body["detail"].get("fail"):
            raise RuntimeError("asked to fail")
"""


def queue(aws: LocalAws, name: str, **attributes: str) -> tuple[str, str]:
    """(URL, ARN) of a queue."""
    sqs = aws.client("sqs")
    url = str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, str(arn)


def ordered_queue(aws: LocalAws, dead_letters: str | None = None, **attributes: str) -> tuple[str, str]:
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "1", **attributes}
    if dead_letters is not None:
        fifo["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead_letters, "maxReceiveCount": 2})
    return queue(aws, unique("queue") + ".fifo", **fifo)


def route(aws: LocalAws, pattern: dict[str, Any], queue_arn: str) -> None:
    """A rule that sends events to an ordered queue, all in one message group."""
    rule = unique("rule")
    aws.client("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": queue_arn, "SqsParameters": {"MessageGroupId": "group"}}
    aws.client("events").put_targets(Rule=rule, Targets=[target])


def put_event(aws: LocalAws, source: str, **detail: Any) -> None:
    entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail)}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def objects(aws: LocalAws, where: str) -> list[str]:
    return [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=where).get("Contents", [])]


def test_a_function_reaches_sagemaker_and_sees_nothing_of_the_repository(aws: LocalAws) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print(1)")))
    source = """
import importlib.util, os, boto3
def handler(event, context):
    names = [p["PipelineName"] for p in boto3.client("sagemaker").list_pipelines()["PipelineSummaries"]]
    return {"pipelines": names, "local": importlib.util.find_spec("local") is not None,
            "python_path": os.environ.get("PYTHONPATH")}
"""
    answer = aws.client("lambda").invoke(FunctionName=function(aws, source))

    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer
    assert pipeline in said["pipelines"]
    assert (said["local"], said["python_path"]) == (False, None)


def test_an_event_reaches_a_function_through_an_ordered_queue_with_a_delay(aws: LocalAws) -> None:
    where, source = bucket(aws), unique("source")
    _, arn = ordered_queue(aws, DelaySeconds="2")
    route(aws, {"source": [source]}, arn)
    name = function(aws, ECHO, Environment={"Variables": {"BUCKET": where}})
    aws.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=10)

    put_event(aws, source, name="first")

    wait_for(lambda: objects(aws, where) == ["first"], "the function to be called")
    content = aws.client("s3").get_object(Bucket=where, Key="first")["Body"].read()
    attributes = json.loads(content)
    assert attributes["MessageGroupId"] == "group"
    # Milliseconds since 1970, from the queue itself: not before the queue's delay was over.
    assert int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"]) >= 2000


def test_a_message_that_a_function_refuses_becomes_a_dead_letter(aws: LocalAws) -> None:
    where, source = bucket(aws), unique("source")
    dead_url, dead_arn = queue(aws, unique("dead") + ".fifo", FifoQueue="true")
    _, arn = ordered_queue(aws, dead_arn)
    route(aws, {"source": [source]}, arn)
    name = function(aws, ECHO, Environment={"Variables": {"BUCKET": where}})
    aws.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)

    put_event(aws, source, name="bad", fail=True)
    put_event(aws, source, name="good")

    dead = received(aws, dead_url, lambda _: True)
    assert dead["detail"]["name"] == "bad"
    wait_for(lambda: objects(aws, where) == ["bad", "good"], "the message behind it")


def test_an_uploaded_object_is_an_event(aws: LocalAws) -> None:
    where = bucket(aws)
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=where, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    url, arn = ordered_queue(aws)
    route(aws, {"source": ["aws.s3"], "detail": {"bucket": {"name": [where]}}}, arn)

    aws.client("s3").put_object(Bucket=where, Key="uploads/task/train/a.jsonl", Body=b"{}")

    event = received(aws, url, lambda _: True)
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["object"]["key"] == "uploads/task/train/a.jsonl"


def test_nobody_else_sends_events_in_the_name_of_aws(aws: LocalAws) -> None:
    entry = {"Source": "aws.sagemaker", "DetailType": "Test", "Detail": "{}"}

    answer = aws.client("events").put_events(Entries=[entry])

    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
