"""Puts parked messages back on their queue, once what they failed at is mended.

    python -m operations.redrive --stage dev --task adverse_events [--files] [--all]

Texts by default, with `--files` the events of files. Messages that were refused because they can never be handled (they
carry the reason) are counted by it and left; `--all` puts those back too. Works with the AWS account of your
credentials, and for the stage `local` on the local AWS that is running on this machine.

SQS's own redrive (StartMessageMoveTask) cannot leave some behind. Here a message is sent first and deleted then: if
this breaks off between, it is there twice, which for texts and files is one event. What is parked again while this runs
is left, so that it ends.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.errors import LocalError
from operations.stream import OperationError, clients_of, output_of

REASON = "reason"
# Seconds for which a message that was looked at stays out of sight; of what is left, until the end of the run at most.
_VISIBILITY = 600
_MESSAGES = 10


@dataclass(frozen=True)
class Redriven:
    """How many messages were put back, and how many were left, by the reason that they carry."""

    put_back: int
    left: dict[str, int]


def queue_of(cloudformation: Any, stage: str, task: str, *, files: bool = False) -> str:
    """URL of a task's queue. Raises OperationError: the task has no stream in this stage."""
    return output_of(cloudformation, stage, task, "FileQueues" if files else "TextQueues")


def redrive(sqs: Any, queue_url: str, *, everything: bool = False) -> Redriven:
    """Put the dead letters of a queue back; with `everything` also those that carry a reason."""
    dead_letters = dead_letters_of(sqs, queue_url)
    begin = time.time()
    left: dict[str, tuple[str, str]] = {}  # message id -> (receipt handle, reason)
    put_back = 0
    try:
        while messages := _receive(sqs, dead_letters):
            if all(message["MessageId"] in left for message in messages):
                break  # Nothing but what was left, which has come into sight again.
            for message in messages:
                reason = _why_left(message, begin, everything=everything)
                if reason is not None:
                    left[message["MessageId"]] = (message["ReceiptHandle"], reason)
                    continue
                sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
                put_back += 1
    finally:
        for handle, _ in left.values():
            sqs.change_message_visibility(QueueUrl=dead_letters, ReceiptHandle=handle, VisibilityTimeout=0)
    return Redriven(put_back, dict(Counter(reason for _, reason in left.values())))


def _why_left(message: dict[str, Any], begin: float, *, everything: bool) -> str | None:
    if int(message["Attributes"]["SentTimestamp"]) / 1000 > begin:
        return "parked while the command ran"
    reason: str | None = message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue")
    return None if everything else reason


def dead_letters_of(sqs: Any, queue_url: str) -> str:
    """URL of the queue that takes what failed on `queue_url`."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])["Attributes"]
    arn = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
    return str(sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def _receive(sqs: Any, queue_url: str) -> list[dict[str, Any]]:
    # Waiting asks every server of the queue: an empty answer then means an empty queue.
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=_MESSAGES,
        MessageAttributeNames=[REASON],
        MessageSystemAttributeNames=["SentTimestamp"],
        VisibilityTimeout=_VISIBILITY,
        WaitTimeSeconds=2,
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="operations.redrive", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stage", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--files", action="store_true", help="events of incoming files instead of texts")
    parser.add_argument("--all", action="store_true", help="also messages that were refused for a reason")
    given = parser.parse_args(arguments)
    try:
        client = clients_of(given.stage)
        queue = queue_of(client("cloudformation"), given.stage, given.task, files=given.files)
    except (OperationError, LocalError) as error:
        parser.exit(1, f"{error}\n")
    done = redrive(client("sqs"), queue, everything=given.all)
    print(f"{done.put_back} message(s) put back")
    for reason, count in sorted(done.left.items()):
        print(f"{count} message(s) left: {reason}")


if __name__ == "__main__":
    main()
