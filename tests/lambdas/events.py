"""Events as EventBridge sends them, and SQS records that carry them."""

import json
from datetime import datetime
from typing import Any

BUCKET = "reports-bucket"


def object_created(key: str, when: datetime, etag: str = "e") -> dict[str, Any]:
    """Without version-id, as some senders leave it out."""
    return {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 1, "etag": etag}, "reason": "PutObject"},
    }


def execution_ended(arn: str, status: str = "Succeeded") -> dict[str, Any]:
    return {
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "source": "aws.sagemaker",
        "detail": {
            "pipelineExecutionArn": arn,
            "pipelineArn": arn.partition("/execution/")[0],
            "currentPipelineExecutionStatus": status,
        },
    }


def record(identifier: str, event: dict[str, Any] | str, group: str = "uploads") -> dict[str, Any]:
    body = event if isinstance(event, str) else json.dumps(event)
    return {"messageId": identifier, "body": body, "attributes": {"MessageGroupId": group}}
