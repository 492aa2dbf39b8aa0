"""operations.review: what the function is called with, and what the person who called it is told."""

import io
import json
from typing import Any

import pytest

from operations import review as command
from operations.review import function_of, review
from operations.stream import OperationError, clients_of
from tests.lambdas.aws_in_memory import connect
from tests.operations.test_redrive import FakeStacks


class FakeFunctions:
    """One function; `answers` are what it says, `fails` that it raises."""

    def __init__(self, answer: dict[str, str], *, fails: bool = False) -> None:
        self.answer = answer
        self.fails = fails
        self.called: list[tuple[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.called.append((FunctionName, json.loads(Payload)))
        failed = {"FunctionError": "Unhandled"} if self.fails else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


TAKEN = {"verdict": "rejected", "label": "Not_AE"}


def test_a_verdict_reaches_the_function_and_its_label_comes_back() -> None:
    functions = FakeFunctions(TAKEN)
    told = review(connect("lambda", functions), "f", event_id="A \u4e2d", source=None, verdict="rejected")
    assert told == "Not_AE"
    asked = {"event_id": "A \u4e2d", "source": None, "verdict": "rejected", "reviewer": None}
    assert functions.called == [("f", asked)]


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        (FakeFunctions({"error": "UnknownEventError", "reason": "there is no such event"}), "there is no such event"),
        (FakeFunctions({"errorMessage": "An error occurred"}, fails=True), "its log says why"),
    ],
)
def test_what_was_not_taken_is_said(functions: FakeFunctions, said: str) -> None:
    with pytest.raises(OperationError, match=said):
        review(connect("lambda", functions), "f", event_id="A", source="s", verdict="confirmed")


def test_the_command_says_what_it_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    functions = FakeFunctions(TAKEN)
    clients = {"cloudformation": connect("cloudformation", FakeStacks()), "lambda": connect("lambda", functions)}
    monkeypatch.setattr(command, "clients_of", lambda _: clients.__getitem__)
    arguments = ["--stage", "dev", "--task", "adverse_events", "--event", "A-1", "--verdict", "rejected"]
    command.main([*arguments, "--source", "clinic", "--reviewer", "me"])
    assert capsys.readouterr().out == "rejected: the next run learns this text as Not_AE\n"
    asked = {"event_id": "A-1", "source": "clinic", "verdict": "rejected", "reviewer": "me"}
    assert functions.called == [(function_of(clients["cloudformation"], "dev", "adverse_events"), asked)]

    functions.answer = {"error": "UnknownEventError", "reason": "there is no such event"}
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 1
    assert "no such event" in capsys.readouterr().err


def test_the_local_stage_is_the_one_that_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Running:
        aws = type("Aws", (), {"client": staticmethod(lambda name: f"local {name}")})

    monkeypatch.setattr("operations.stream.running_stage", Running)
    assert clients_of("local")("lambda") == "local lambda"
    assert clients_of("dev") is not Running.aws.client
