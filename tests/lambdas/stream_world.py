"""classify_texts with everything around it in memory, behind real boto3 clients: queue, endpoint, claims, files, topic.

Every call to AWS has a number, so that a test can let the function die, or another one run, before or after any.
"""

import copy
import io
import json
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import EndpointConnectionError

from lambdas.classify_texts.asking import LiveEndpoint
from lambdas.classify_texts.batch import Stream, handle_batch
from lambdas.classify_texts.commit import EventLog
from lambdas.classify_texts.mentions import find_mentions
from lambdas.classify_texts.notices import Notices
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles
from tests.lambdas.aws_in_memory import Refused, connect
from tests.lambdas.events import BUCKET
from tests.lambdas.fake_s3 import FakeS3
from tests.lambdas.parquet_rows import table_rows
from training.table_schemas import EVENTS

TASK = "adverse_events"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
LEASE = 120.0
TOPIC = "arn:aws:sns:eu-central-1:123456789012:notices"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/texts"
DEAD_LETTERS = f"{QUEUE}-dead"


class Died(BaseException):
    """The function's process is gone: nothing of it may catch this."""


class AnswerLost(BaseException):
    """The call was done, and its answer does not come: boto3 calls again."""


class FakeClaims:
    """A DynamoDB table with the conditions of event_claims.py. `holding_back`: so many requests get nothing done."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.holding_back = 0

    def put_item(
        self,
        TableName: str,
        Item: dict[str, Any],
        ConditionExpression: str,
        ExpressionAttributeValues: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        there = self.items.get(Item["text_identity"]["S"])
        if ConditionExpression == "attribute_not_exists(text_identity)":
            holds = there is None
        else:
            assert ConditionExpression == "written_to = :file AND finished = :no"
            values = ExpressionAttributeValues or {}
            holds = there is not None and there["written_to"] == values[":file"] and there["finished"] == values[":no"]
        if not holds:
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        self.items[Item["text_identity"]["S"]] = Item
        return {}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, request),) = RequestItems.items()
        assert request["ConsistentRead"] and len(request["Keys"]) <= 100
        if self._holds_back():
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        names = [key["text_identity"]["S"] for key in request["Keys"]]
        return {"Responses": {table: [self.items[name] for name in names if name in self.items]}}

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        if self._holds_back():
            return {"UnprocessedItems": RequestItems}
        ((_, requests),) = RequestItems.items()
        assert len(requests) <= 25
        for request in requests:
            item = request["PutRequest"]["Item"]
            self.items[item["text_identity"]["S"]] = item
        return {}

    def _holds_back(self) -> bool:
        self.holding_back -= 1
        return self.holding_back >= 0


class FakeTopic:
    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        self.broken = False

    def publish(self, TopicArn: str, Message: str, MessageAttributes: dict[str, Any]) -> dict[str, Any]:
        if self.broken:
            raise Refused("InternalError", "try later")
        assert TopicArn == TOPIC
        self.notices.append(json.loads(Message))
        return {}


class FakeQueues:
    """`sent`: what was put where."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.visibility: list[tuple[str, int]] = []
        self.broken = False

    def send_message(self, **message: Any) -> dict[str, Any]:
        if self.broken:
            raise Refused("InternalError", "try later")
        self.sent.append(message)
        return {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == QUEUE and len(Entries) <= 10
        self.visibility += [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in Entries]
        return {}


class FakeEndpoint:
    """Answers a text with the probability that it holds as `p=0.9`, else 0.2. `trouble` changes the whole answer.

    A text with REFUSE in it makes the model refuse the request, one with BREAK makes it fail.
    """

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.trouble: Callable[[list[dict[str, Any]]], Any] | None = None

    def invoke_endpoint(self, EndpointName: str, ContentType: str, Accept: str, Body: Any) -> dict[str, Any]:
        assert (EndpointName, ContentType) == ("dev-adverse-events", "application/json")
        inputs = json.loads(Body if isinstance(Body, bytes) else Body.read())["inputs"]
        texts = [item["text"] for item in inputs]
        self.asked.append(texts)
        for word, status in (("REFUSE", 400), ("BREAK", 500)):
            if any(word in text for text in texts):
                raise Refused("ModelError", f"Received error ({status}): {texts}", OriginalStatusCode=status)
        entries: Any = [self._entry(item) for item in inputs]
        if self.trouble is not None:
            entries = self.trouble(entries)
        body = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        return {"Body": io.BytesIO(body)}

    @staticmethod
    def _entry(item: dict[str, str]) -> dict[str, Any]:
        found = re.search(r"p=([\d.]+)", item["text"])
        probability = float(found[1]) if found else 0.2
        label = "Adverse_Event" if probability >= 0.5 else "Not_AE"
        return {"id": item["id"], "label": label, "probability": probability, "model_version": "3"}


def unreachable(_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="https://runtime")


def throttled(_: Any) -> Any:
    raise Refused("ThrottlingException", "Rate exceeded")


def nothing(_when: str, _number: int) -> None:
    """Nothing happens at a call."""


class World:
    """`at_call` is called with ("before" | "after", number of the call) around every call to AWS."""

    def __init__(self, logger: logging.Logger, notice_probability: float | None = 0.8) -> None:
        self.logger = logger
        self.now = BEGIN
        self.seconds_left = 90.0
        self.s3, self.claims, self.topic = FakeS3(), FakeClaims(), FakeTopic()
        self.queues, self.endpoint = FakeQueues(), FakeEndpoint()
        self.at_call: Callable[[str, int], None] = nothing
        self.calls = 0
        self._notice_probability = notice_probability
        self.stream = self._stream()

    def client(self, service: str, backend: object) -> Any:
        """A boto3 client whose calls are counted."""
        return connect(service, _Counted(self, backend))

    def _stream(self) -> Stream:
        notices = None
        if self._notice_probability is not None:
            sns = self.client("sns", self.topic)
            notices = Notices(sns, TOPIC, TASK, self._notice_probability)
        dynamodb = self.client("dynamodb", self.claims)
        log = EventLog(
            claims=Claims(dynamodb, "claims", sleep=lambda _: None),
            files=EventFiles(self.client("s3", self.s3), BUCKET, TASK),
            notices=notices,
            clock=lambda: self.now,
            lease_seconds=LEASE,
            logger=self.logger,
        )
        runtime = self.client("sagemaker-runtime", self.endpoint)
        return Stream(
            log=log,
            endpoint=LiveEndpoint(runtime, "dev-adverse-events", frozenset(("Adverse_Event", "Not_AE"))),
            positive="Adverse_Event",
            texts_a_call=4,
            mentions=lambda text, _: find_mentions(text),
            sqs=self.client("sqs", self.queues),
            dead_letters=DEAD_LETTERS,
        )

    def handle(self, records: Sequence[dict[str, Any]]) -> list[str]:
        """The ids of the messages that come again."""
        failed = handle_batch(records, self.stream, lambda: self.seconds_left, self.logger)
        return [record["messageId"] for record in failed]

    def deliver_until_rest(self, records: Sequence[dict[str, Any]], rounds: int = 6) -> None:
        """Deliver records, and again those that failed, each time after their lease is over."""
        waiting = list(records)
        for _ in range(rounds):
            self.now += LEASE + 1
            failed = self.handle(waiting)
            waiting = [record for record in waiting if record["messageId"] in failed]
            if not waiting:
                return
        raise AssertionError(f"{len(waiting)} messages keep failing")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every row of the table, of every file."""
        return [row for rows in table_rows(self.s3, EVENTS).values() for row in rows]

    @property
    def texts(self) -> list[str]:
        return sorted(row["text"] for row in self.rows)


class _Counted:
    def __init__(self, world: World, backend: object) -> None:
        self._world = world
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)

        def counted(**request: Any) -> Any:
            self._world.calls += 1
            number = self._world.calls
            self._world.at_call("before", number)
            try:
                answer = method(**copy.deepcopy(request))
                self._world.at_call("after", number)
            except AnswerLost:
                answer = method(**request)
            return answer

        return counted


def text_record(
    number: int, body: dict[str, Any] | str, *, received: int = 1, sent_at: float = BEGIN
) -> dict[str, Any]:
    """An SQS record that says a text."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"r{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(received), "SentTimestamp": str(int(sent_at * 1000))},
    }
