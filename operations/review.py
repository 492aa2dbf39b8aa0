"""Says whether the model was right about an event, so that the next run learns from it.

    python -m operations.review --stage dev --task adverse_events --event A-17 --source clinic --verdict rejected

Event and source are those of the table `events`; leave the source out where it is null. A later verdict on an event
replaces the earlier one. Works with the AWS account of your credentials, and for the stage `local` on the local AWS
that is running on this machine.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from local.errors import LocalError
from operations.stream import OperationError, clients_of, output_of

CONFIRMED, REJECTED = "confirmed", "rejected"


def function_of(cloudformation: Any, stage: str, task: str) -> str:
    """Name of the function that takes a task's reviews. Raises OperationError: the task has no stream in this stage."""
    return output_of(cloudformation, stage, task, "ReviewFunctions")


def review(
    client: Any, function: str, *, event_id: str, source: str | None, verdict: str, reviewer: str | None = None
) -> str:
    """Give a verdict through a boto3 client of Lambda; returns the event's right label.

    Raises:
        OperationError: the verdict was not taken.
    """
    asked = {"event_id": event_id, "source": source, "verdict": verdict, "reviewer": reviewer}
    answer = client.invoke(FunctionName=function, Payload=json.dumps(asked).encode())
    if "FunctionError" in answer:
        raise OperationError(f"the function {function} failed: its log says why")
    told: dict[str, str] = json.loads(answer["Payload"].read())
    if "error" in told:
        raise OperationError(told["reason"])
    return told["label"]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="operations.review", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stage", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--event", required=True, help="event_id in the table events")
    parser.add_argument("--source", help="source in the table events")
    parser.add_argument("--verdict", required=True, choices=(CONFIRMED, REJECTED))
    parser.add_argument("--reviewer", help="who says so")
    given = parser.parse_args(arguments)
    try:
        client = clients_of(given.stage)
        label = review(
            client("lambda"),
            function_of(client("cloudformation"), given.stage, given.task),
            event_id=given.event,
            source=given.source,
            verdict=given.verdict,
            reviewer=given.reviewer,
        )
    except (OperationError, LocalError) as error:
        parser.exit(1, f"{error}\n")
    print(f"{given.verdict}: the next run learns this text as {label}")


if __name__ == "__main__":
    main()
