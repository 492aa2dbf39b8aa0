"""operations.redrive: parked messages go back, refused ones stay, and nothing is lost on the way."""

import json
import time
from typing import Any

import pytest

from operations import redrive as command
from operations.redrive import REASON, Redriven, queue_of, redrive
from operations.stream import OperationError
from tests.lambdas.aws_in_memory import Refused, connect

ROOT = "https://sqs.eu-central-1.amazonaws.com/123456789012"
QUEUE, DEAD = f"{ROOT}/texts", f"{ROOT}/dead"
LONG_AGO = 1_000_000


class FakeQueues:
    """A queue and its dead letters, each [(id, body, reason, milliseconds of sending, visible)]."""

    def __init__(self, *parked: tuple[str, str | None]) -> None:
        self.dead = {f"m{n}": [body, reason, LONG_AGO, True] for n, (body, reason) in enumerate(parked)}
        self.queue: list[str] = []
        self.sends_before_it_breaks = 10**9
        self.refuses_again = False

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        assert (QueueUrl, AttributeNames) == (QUEUE, ["RedrivePolicy"])
        return {"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:r:1:dead"})}}

    def get_queue_url(self, QueueName: str) -> dict[str, Any]:
        assert QueueName == "dead"
        return {"QueueUrl": DEAD}

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:
        assert QueueUrl == DEAD
        messages = []
        for name, entry in list(self.dead.items()):
            if entry[3] and len(messages) < MaxNumberOfMessages:
                entry[3] = False
                attributes = {REASON: {"StringValue": entry[1], "DataType": "String"}} if entry[1] else {}
                messages.append(
                    {
                        "MessageId": name,
                        "ReceiptHandle": name,
                        "Body": entry[0],
                        "MessageAttributes": attributes,
                        "Attributes": {"SentTimestamp": str(entry[2])},
                    }
                )
        return {"Messages": messages} if messages else {}

    def send_message(self, QueueUrl: str, MessageBody: str) -> dict[str, Any]:
        assert QueueUrl == QUEUE
        if not self.sends_before_it_breaks:
            raise Refused("InternalError", "try later")
        self.sends_before_it_breaks -= 1
        self.queue.append(MessageBody)
        if self.refuses_again:
            name = f"again{len(self.queue)}"
            self.dead[name] = [MessageBody, "not JSON", int((time.time() + 1) * 1000), True]
        return {}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        assert QueueUrl == DEAD
        del self.dead[ReceiptHandle]
        return {}

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> dict[str, Any]:
        assert (QueueUrl, VisibilityTimeout) == (DEAD, 0)
        self.dead[ReceiptHandle][3] = True
        return {}


def test_parked_messages_go_back_and_refused_ones_are_counted_and_left() -> None:
    queues = FakeQueues(*((f"text {n}", None) for n in range(23)), ("bad", "not JSON"), ("bad too", "not JSON"))
    assert redrive(connect("sqs", queues), QUEUE) == Redriven(23, {"not JSON": 2})
    assert sorted(queues.queue) == sorted(f"text {n}" for n in range(23))
    assert [(entry[0], entry[3]) for entry in queues.dead.values()] == [("bad", True), ("bad too", True)]


def test_refused_ones_go_back_if_they_are_asked_for_and_the_command_ends_though_they_return() -> None:
    queues = FakeQueues(("bad", "not JSON"), ("text", None))
    queues.refuses_again = True
    assert redrive(connect("sqs", queues), QUEUE, everything=True) == Redriven(2, {"parked while the command ran": 2})
    assert sorted(queues.queue) == ["bad", "text"]


def test_nothing_is_lost_if_it_breaks_off() -> None:
    queues = FakeQueues(("one", None), ("bad", "not JSON"), ("two", None), ("three", None))
    queues.sends_before_it_breaks = 2
    sqs = connect("sqs", queues)
    with pytest.raises(sqs.exceptions.ClientError):
        redrive(sqs, QUEUE)
    assert queues.queue == ["one", "two"]
    assert {entry[0] for entry in queues.dead.values()} == {"bad", "three"}


class FakeStacks:
    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        assert StackName == "ReportTuning-dev-Events"
        outputs = {
            "TextQueues": {"adverse_events": QUEUE},
            "FileQueues": {"adverse_events": f"{ROOT}/files"},
            "ReviewFunctions": {"adverse_events": "reviews"},
        }
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": json.dumps(v)} for k, v in outputs.items()]}]}


def test_a_task_is_found_by_its_name() -> None:
    stacks = connect("cloudformation", FakeStacks())
    assert queue_of(stacks, "dev", "adverse_events") == QUEUE
    assert queue_of(stacks, "dev", "adverse_events", files=True) == f"{ROOT}/files"
    with pytest.raises(OperationError, match="task notes has no stream in stage dev; there are: adverse_events"):
        queue_of(stacks, "dev", "notes")


def test_the_command_says_what_it_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clients = {
        "cloudformation": connect("cloudformation", FakeStacks()),
        "sqs": connect("sqs", FakeQueues(("text", None), ("bad", "text is empty"))),
    }
    monkeypatch.setattr(command, "clients_of", lambda _: clients.__getitem__)
    command.main(["--stage", "dev", "--task", "adverse_events"])
    assert capsys.readouterr().out == "1 message(s) put back\n1 message(s) left: text is empty\n"
    with pytest.raises(SystemExit) as ended:
        command.main(["--stage", "dev", "--task", "notes"])
    assert ended.value.code == 1
    assert "there are: adverse_events" in capsys.readouterr().err
