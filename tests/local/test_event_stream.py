"""The event stream as deployed by the real CDK to a local AWS, with a model server that stands in for the classifier.

Texts go in as files and as messages; what comes out is read through Athena, from the topic, and from the dead letters.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.athena import ask
from local.aws import LocalAws
from local.deployment import ACCOUNT, run_cdk
from operations.redrive import queue_of, redrive
from operations.review import function_of, review
from operations.stream import OperationError
from stacks.config.stream import Stream
from tests.local.aws_helpers import IMAGE, create_config, create_model, settled, upload_model, wait_for
from tests.local.conftest import REPOSITORY
from tests.stacks.events_app import ENDPOINT, TASK, events_app

pytestmark = pytest.mark.end_to_end

MODEL_SERVER = Path(__file__).with_name("stand_in_classifier.py")


class Deployed:
    """The stream of TASK in a local AWS."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.outputs = outputs
        self.bucket = outputs["BucketName"]
        self.sqs = aws.client("sqs")
        self.texts = queue_of(aws.client("cloudformation"), "local", TASK)
        self.files = queue_of(aws.client("cloudformation"), "local", TASK, files=True)
        self.notices = self._subscribe(json.loads(outputs["NoticeTopics"])[TASK])

    def _subscribe(self, topic: str) -> str:
        url = str(self.sqs.create_queue(QueueName="listener")["QueueUrl"])
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return url

    def drop(self, name: str, content: bytes) -> str:
        key = f"uploads/{TASK}/incoming/{name}"
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return key

    def send(self, *bodies: dict[str, Any] | str) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.texts, MessageBody=text)

    def events(self, source: str, table: str = "events") -> list[dict[str, str | None]]:
        """The rows of a source (SQL pattern), by event id."""
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        query = (
            f"SELECT * FROM {table} WHERE task = '{TASK}' AND day <= '{today}' AND source LIKE '{source}' "
            "ORDER BY event_id"
        )
        names = self.outputs
        return ask(self.aws.client("athena"), query, database=names["DatabaseName"], workgroup=names["WorkgroupName"])

    def wait_for_events(self, source: str, count: int) -> list[dict[str, str | None]]:
        return wait_for(lambda: found if len(found := self.events(source)) >= count else None, f"{count} events")

    def review(self, event_id: str | None, source: str | None, verdict: str) -> str:
        function = function_of(self.aws.client("cloudformation"), "local", TASK)
        return review(
            self.aws.client("lambda"), function, event_id=str(event_id), source=source, verdict=verdict, reviewer="me"
        )

    def reviewed(self) -> list[dict[str, str]]:
        """What lies there to be trained on by the next run."""
        s3, prefix = self.aws.client("s3"), f"uploads/{TASK}/reviewed/"
        listed = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [json.loads(s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()) for item in listed]

    def dead(self, source: str) -> list[tuple[str, str | None]]:
        """(body, reason) of the dead letters whose body names this source; they stay there."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.texts, AttributeNames=["RedrivePolicy"])["Attributes"]
        name = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["reason"], VisibilityTimeout=0
        )
        return [
            (message["Body"], message.get("MessageAttributes", {}).get("reason", {}).get("StringValue"))
            for message in found.get("Messages", [])
            if source in message["Body"]
        ]

    def idle(self) -> None:
        """Wait until neither queue holds a message, seen or unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def empty() -> bool:
            counts = [
                self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
                for url in (self.texts, self.files)
            ]
            return all(int(value) == 0 for some in counts for value in some.values())

        wait_for(empty, "both queues to be empty", seconds=60)


def serve(aws: LocalAws) -> None:
    """Bring the endpoint into service."""
    config = create_config(aws, create_model(aws, {"Image": IMAGE, "ModelDataUrl": upload_model(aws, "classifier")}))
    aws.client("sagemaker").create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
    assert settled(aws, ENDPOINT)["EndpointStatus"] == "InService"


def hasten_retries(aws: LocalAws) -> None:
    """A second instead of minutes between the attempts."""
    client = aws.client("lambda")
    for function in client.list_functions()["Functions"]:
        variables = function.get("Environment", {}).get("Variables", {})
        if "RETRY_SECONDS" in variables:
            changed = {**variables, "RETRY_SECONDS": "[1, 1, 1, 1]"}
            client.update_function_configuration(
                FunctionName=function["FunctionName"], Environment={"Variables": changed}
            )


@pytest.fixture(scope="module")
def stream(emulator_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("events")
    local = LocalAws(
        folder / "aws",
        python=emulator_python,
        job_python=Path(sys.executable),
        repository=REPOSITORY,
        model_server=MODEL_SERVER,
        quicksight=False,
    )
    assembly, outputs = folder / "cdk.out", folder / "outputs.json"
    app, _ = events_app("local", Stream(notice_probability=0.8, texts_a_call=8), folder=assembly)
    app.synth()
    with local as aws:
        environment = aws.environment()
        run_cdk(["bootstrap", "--app", str(assembly), f"aws://{ACCOUNT}/{environment['AWS_REGION']}"], environment)
        options = ["--require-approval", "never", "--outputs-file", str(outputs)]
        run_cdk(["deploy", "--all", "--app", str(assembly), *options], environment)
        values: dict[str, str] = {}
        for stack in json.loads(outputs.read_text(encoding="utf-8")).values():
            values.update(stack)
        hasten_retries(aws)
        serve(aws)
        yield Deployed(aws, values)


def test_files_of_every_form_become_events_each_text_once(stream: Deployed) -> None:
    rows = [{"text": f"text {number} 😀", "id": str(number), "source": "lines"} for number in range(25)]
    lines = "\n".join(json.dumps(row) for row in [*rows, rows[3]]) + "\nnot json\n"
    key = stream.drop("a.jsonl", lines.encode())
    stream.drop("b.csv", '\ufefftext,id,source\n"a rash, p=0.9",1,table\nall well,2,table\n'.encode())
    stream.drop("c.txt", b"One text.\nOn two lines.")
    assert [row["text"] for row in stream.wait_for_events("table", 2)] == ["a rash, p=0.9", "all well"]
    assert [row["text"] for row in stream.wait_for_events("file-%", 1)] == ["One text.\nOn two lines."]
    assert len(stream.wait_for_events("lines", 25)) == 25

    # The same event again, and the same file again.
    event = {
        "source": "aws.s3",
        "time": "2026-01-31T12:00:00Z",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": stream.bucket}, "object": {"key": key, "etag": "x", "size": 1}},
    }
    stream.sqs.send_message(QueueUrl=stream.files, MessageBody=json.dumps(event))
    stream.drop("a.jsonl", lines.encode())
    stream.idle()
    assert sorted(row["text"] for row in stream.events("lines")) == sorted(row["text"] for row in rows)
    listed = stream.aws.client("s3").list_objects_v2(Bucket=stream.bucket, Prefix=f"incoming-quarantine/{TASK}/")
    reasons = [
        json.loads(stream.aws.client("s3").get_object(Bucket=stream.bucket, Key=item["Key"])["Body"].read())
        for item in listed["Contents"]
    ]
    assert {(entry["line"], entry["reason"]) for entry in reasons} == {(27, "not JSON")}


def test_a_message_becomes_an_event_with_what_it_names_and_a_notice_without_its_text(stream: Deployed) -> None:
    text = "Hives and vomiting after the first dose of ceftriaxone, p=0.97"
    stream.send({"text": text, "id": "A-1", "source": "one", "time": "2026-03-01T08:00:00+01:00"})
    (row,) = stream.wait_for_events("one", 1)
    assert row["text"] == text
    assert (row["label"], row["probability"], row["notified"]) == ("Adverse_Event", "0.97", "true")
    assert (row["drugs"], row["effects"], row["kind"]) == ("ceftriaxone", "hives; vomiting", "allergy")
    assert row["happened_at"] == "2026-03-01 07:00:00.000"

    def notice() -> dict[str, Any] | None:
        for message in stream.sqs.receive_message(QueueUrl=stream.notices, MaxNumberOfMessages=10).get("Messages", []):
            assert "ceftriaxone" not in message["Body"]
            told: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
            if told["source"] == "one":
                return told
        return None

    told = wait_for(notice, "the notice")
    assert (told["event_id"], told["probability"], told["kind"]) == ("A-1", 0.97, "allergy")


def test_what_a_person_says_of_an_event_is_there_for_the_next_run_and_in_the_table(stream: Deployed) -> None:
    stream.send(
        {"text": "Hives \u4e2d\u6587, p=0.97", "id": "1", "source": "judged"},
        {"text": "A cough before the drug, p=0.93", "source": "judged"},
        {"text": "Well, p=0.1", "id": "3", "source": "judged"},
    )
    events = {row["text"]: row for row in stream.wait_for_events("judged", 3)}
    assert {row["label"] for row in events.values()} == {"Adverse_Event", "Not_AE"}
    stream.idle()
    without_id = events["A cough before the drug, p=0.93"]["event_id"]
    assert stream.review("1", "judged", "confirmed") == "Adverse_Event"
    assert stream.review(without_id, "judged", "confirmed") == "Adverse_Event"
    assert stream.review(without_id, "judged", "rejected") == "Not_AE"
    assert {line["text"]: line["label"] for line in stream.reviewed()} == {
        "Hives \u4e2d\u6587, p=0.97": "Adverse_Event",
        "A cough before the drug, p=0.93": "Not_AE",
    }
    rows = {row["event_id"]: row for row in stream.events("judged", table="reviews")}
    assert {name: (row["verdict"], row["label"], row["model_label"]) for name, row in rows.items()} == {
        "1": ("confirmed", "Adverse_Event", "Adverse_Event"),
        without_id: ("rejected", "Not_AE", "Adverse_Event"),
    }
    assert {row["reviewer"] for row in rows.values()} == {"me"}
    with pytest.raises(OperationError, match="no event with this id"):
        stream.review("2", "judged", "confirmed")
    assert len(stream.reviewed()) == 2


def test_bad_messages_are_parked_with_their_reason_and_good_ones_go_on(stream: Deployed) -> None:
    longest = "😀" * 50_000
    stream.send(
        "bad: no JSON",
        {"text": "", "source": "bad"},
        {"text": "x" * 50_001, "source": "bad"},
        {"text": longest, "id": "1", "source": "good"},
        {"text": "twice", "id": "2", "source": "good"},
        {"text": "twice", "id": "2", "source": "good"},
    )
    rows = stream.wait_for_events("good", 2)
    assert [row["text"] for row in rows] == [longest, "twice"]
    parked = wait_for(lambda: found if len(found := stream.dead("bad")) == 3 else None, "three dead letters")
    assert {reason for _, reason in parked} == {
        "not JSON",
        "text is empty",
        "text is longer than 50,000 characters",
    }
    stream.idle()
    done = redrive(stream.sqs, stream.texts)
    assert done.put_back == 0
    assert done.left["not JSON"] == 1
    # What was left can be seen at once; put back, it is refused again, and the command ends.
    assert len(stream.dead("bad")) == 3
    assert redrive(stream.sqs, stream.texts, everything=True).put_back >= 3
    wait_for(lambda: len(stream.dead("bad")) == 3, "three dead letters again")
    assert len(stream.events("good")) == 2


@pytest.mark.parametrize("trouble", ["REFUSE", "NONSENSE"])
def test_a_text_that_the_model_cannot_bear_is_parked_alone(stream: Deployed, trouble: str) -> None:
    bodies = [{"text": f"{trouble} {n}" if n == 4 else f"text {n}", "id": str(n), "source": trouble} for n in range(9)]
    stream.send(*bodies)
    rows = stream.wait_for_events(trouble, 8)
    assert [row["event_id"] for row in rows] == [str(n) for n in range(9) if n != 4]
    parked = wait_for(lambda: stream.dead(trouble), "a dead letter", seconds=60)
    assert [(json.loads(body)["id"], reason) for body, reason in parked] == [("4", None)]


def test_texts_that_came_while_the_endpoint_was_away_are_parked_and_put_back_by_one_command(stream: Deployed) -> None:
    stream.aws.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
    stream.send(*({"text": f"waiting {n}", "id": str(n), "source": "away"} for n in range(5)))
    wait_for(lambda: len(stream.dead("away")) == 5, "five dead letters", seconds=90)
    assert stream.events("away") == []
    serve(stream.aws)

    # Those of the other tests are put back too: their text still is what it was.
    assert redrive(stream.sqs, stream.texts).put_back >= 5
    rows = stream.wait_for_events("away", 5)
    assert [row["text"] for row in rows] == [f"waiting {n}" for n in range(5)]
    assert len(stream.events("away")) == 5
