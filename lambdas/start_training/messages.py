"""What a message on the queue says: an object was uploaded, or a run ended. Both only wake `reconcile`."""

from dataclasses import dataclass

from lambdas.errors import EventError
from lambdas.names import parse_execution_arn
from lambdas.object_created import OBJECT_CREATED, ObjectCreated, parse_object_created, read_event

EXECUTION_CHANGED = "SageMaker Model Building Pipeline Execution Status Change"


@dataclass(frozen=True)
class ExecutionChanged:
    """An execution of `pipeline` changed its state."""

    pipeline: str


def parse_message(body: str, bucket: str) -> ObjectCreated | ExecutionChanged:
    """Read the body of a queue message, which is an EventBridge event.

    Raises:
        EventError: it is not JSON, lacks a field, is of another kind, or is about another bucket. The text of the
            message is not quoted: a key may hold anything.
    """
    event = read_event(body)
    kind = event["detail-type"]
    if kind == OBJECT_CREATED:
        return parse_object_created(event, bucket)
    if kind != EXECUTION_CHANGED:
        raise EventError(f"a message of kind {kind!r} does not belong on this queue")
    try:
        pipeline, _ = parse_execution_arn(event["detail"]["pipelineExecutionArn"])
    except (KeyError, TypeError) as error:
        raise EventError(f"a message is not an event of SageMaker: {type(error).__name__}") from error
    return ExecutionChanged(pipeline)
