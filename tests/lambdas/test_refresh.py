"""record_run tells QuickSight to take new rows in, and no refresh that fails costs a row."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse

from lambdas.errors import EventError
from lambdas.names import account_of_function
from lambdas.record_run import handler as handler_module
from lambdas.record_run.refresh import PATIENCE
from lambdas.structured_log import structured_logger
from tests.lambdas.aws_in_memory import Refused, connect
from tests.lambdas.events import execution_ended
from tests.lambdas.recorded_run import ARN, SETTINGS, World

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:record-run"
RUNS_ROW = "tables/runs/task=radiology_impressions/month=2026-03/abc123.parquet"


class FakeQuickSight:
    """Ingestions by data set; `refusals` maps a data set to the code that it is refused with."""

    def __init__(self) -> None:
        self.ingestions: dict[str, list[str]] = {}
        self.refusals: dict[str, str] = {}

    def create_ingestion(self, AwsAccountId: str, DataSetId: str, IngestionId: str) -> dict[str, Any]:
        assert AwsAccountId == "123456789012"
        if DataSetId in self.refusals:
            raise Refused(self.refusals[DataSetId], "a text that is not logged")
        if IngestionId in self.ingestions.setdefault(DataSetId, []):
            raise Refused("ResourceExistsException", "An ingestion of this id exists.")
        self.ingestions[DataSetId].append(IngestionId)
        return {"IngestionId": IngestionId, "IngestionStatus": "INITIALIZED"}


class Function:
    """record_run as Lambda calls it, with two data sets to refresh."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World()
        self.world.prepare()
        self.quicksight = FakeQuickSight()
        self.client = connect("quicksight", self.quicksight)
        self.log = io.StringIO()
        settings = handler_module.Settings(SETTINGS.bucket, SETTINGS.tasks, SETTINGS.prices, ("dev-runs", "dev-steps"))
        monkeypatch.setattr(handler_module, "_settings", lambda: settings)
        monkeypatch.setattr(handler_module, "_clients", lambda: self.world.clients)
        monkeypatch.setattr(handler_module, "_quicksight", lambda: self.client)
        monkeypatch.setattr(handler_module, "_logger", structured_logger("test", self.log))

    def end(self) -> None:
        answer = handler_module.handler(execution_ended(ARN), SimpleNamespace(invoked_function_arn=FUNCTION))
        assert answer["keys"]["runs"] == RUNS_ROW
        assert RUNS_ROW in self.world.s3.bodies

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for line in self.log.getvalue().splitlines() if (event := json.loads(line))["event"] == name]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield Function(monkeypatch)
    logging.getLogger("test").handlers = []


def test_every_data_set_is_refreshed_once_for_one_end_of_a_run(function: Function) -> None:
    function.end()
    function.end()
    (runs,), (steps,) = (function.quicksight.ingestions[name] for name in ("dev-runs", "dev-steps"))
    assert runs.startswith("abc123-") and steps.startswith("abc123-")
    assert [event["data_set"] for event in function.events("refresh_started")] == ["dev-runs", "dev-steps"]
    assert function.events("refresh_failed") == []


def test_a_run_that_was_retried_and_ended_again_is_another_refresh(function: Function) -> None:
    # It failed again: its end differs from the first in its time alone.
    function.world.run.status = "Failed"
    function.end()
    function.world.run.add("Gate", 3)
    function.end()
    assert len(set(function.quicksight.ingestions["dev-runs"])) == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "LimitExceededException", "ResourceNotFoundException"])
def test_a_refresh_that_fails_is_logged_and_the_others_go_on(function: Function, code: str) -> None:
    function.quicksight.refusals["dev-runs"] = code
    function.end()
    assert function.events("refresh_failed") == [
        {
            "level": "ERROR",
            "logger": "test",
            "event": "refresh_failed",
            "run_id": "abc123",
            "data_set": "dev-runs",
            "error_code": code,
        }
    ]
    assert len(function.quicksight.ingestions["dev-steps"]) == 1
    assert "a text that" not in function.log.getvalue()


def throttling_client(times: int) -> tuple[Any, list[str]]:
    """A client whose first answers, as botocore's retries see them, are throttles; and the data sets asked for."""
    client = boto3.client(
        "quicksight", region_name="eu-central-1", aws_access_key_id="A", aws_secret_access_key="a", config=PATIENCE
    )
    asked: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url.split("/")[6])
        throttled = len(asked) <= times
        headers = {"x-amzn-ErrorType": "ThrottlingException"} if throttled else {}
        response = AWSResponse(request.url, 429 if throttled else 200, headers, io.BytesIO(b"{}"))
        response._content = b"{}"
        return response

    client.meta.events.register("before-send.quicksight.CreateIngestion", answer)
    return client, asked


def test_a_throttle_is_waited_out(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", pauses.append)
    function.client, asked = throttling_client(times=4)
    function.end()
    assert asked == ["dev-runs"] * 5 + ["dev-steps"]
    assert len(pauses) == 4 and sum(pauses) <= 15
    assert function.events("refresh_failed") == []


def test_a_throttle_without_end_costs_no_row(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    function.client, _ = throttling_client(times=1000)
    function.end()
    assert [event["error_code"] for event in function.events("refresh_failed")] == ["ThrottlingException"] * 2


def test_without_data_sets_no_client_of_quicksight_is_made(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "_settings", lambda: SETTINGS)
    monkeypatch.setattr(handler_module, "_quicksight", lambda: pytest.fail("a client was made"))
    function.end()


def test_the_account_is_that_of_the_function() -> None:
    assert account_of_function(FUNCTION) == account_of_function(f"{FUNCTION}:live") == "123456789012"
    with pytest.raises(EventError, match="not the ARN of a Lambda function"):
        account_of_function(ARN)
