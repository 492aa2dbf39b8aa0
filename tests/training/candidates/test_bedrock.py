"""A model of Bedrock as a candidate: boto3's own client, and Converse answered by a server here."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.training import converse_server as bedrock
from tests.training.candidates.told import asked_here, evaluated, failures, predictions, write_inputs
from tests.training.loopback import Answering, Loopback, Response, client, serving
from training.candidates.bedrock import BedrockCandidate
from training.candidates.services import Backoff

PRICES = {"dollars_per_million_input_tokens": 3.0, "dollars_per_million_output_tokens": 15.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def asked(
    folder: Path, answer: Answering, pauses: tuple[float, ...] = (1.0, 2.0), **more: Any
) -> tuple[dict[str, Any], Loopback, list[float]]:
    """Ask; the report, the server, and the pauses that were made."""
    slept: list[float] = []
    with serving(answer) as loopback:
        runtime = client("bedrock-runtime", loopback.url)
        candidate = BedrockCandidate(runtime, "some.model-v1:0", 20, Backoff(pauses, slept.append))
        report = asked_here(folder, candidate, prompt="Shorten: {input}", **more)
    return report, loopback, slept


def test_each_record_is_asked_by_converse_and_its_tokens_are_counted(folder: Path) -> None:
    report, loopback, slept = asked(folder, bedrock.answered, **PRICES)
    record = evaluated(folder)[0]
    request = loopback.requests[0]
    assert request.path == "/model/some.model-v1:0/converse"
    assert request.content == {
        "messages": [{"role": "user", "content": [{"text": f"Shorten: {record.input}"}]}],
        "inferenceConfig": {"maxTokens": 20, "temperature": 0.0},
    }
    assert predictions(folder)[record.id] == f"Summary: {' '.join(record.input.split()[-3:])}"
    words = sum(len(r.input.split()) + 1 for name in ("dev1", "dev2") for r in evaluated(folder, name))
    assert (report["status"], report["input_tokens"], report["output_tokens"]) == ("complete", words, 4 * 11)
    assert report["dollars"] == pytest.approx((3 * words + 15 * 4 * 11) / 1e6)
    assert report["leaves_account"] is True and slept == []


def test_no_access_ends_the_candidate_at_the_first_record(folder: Path) -> None:
    report, loopback, _ = asked(folder, bedrock.no_access)
    assert len(loopback.requests) == 1 and report["status"] == "failed"
    assert report["reason"] == (
        "model some.model-v1:0 of Bedrock cannot be asked: AccessDeniedException; see whether it exists and the job "
        "may ask it"
    )


def test_throttling_that_passes_costs_no_record(folder: Path) -> None:
    report, _, slept = asked(folder, bedrock.throttled(2))
    assert (report["status"], slept) == ("complete", [1.0, 2.0])


def test_throttling_that_does_not_pass_ends_the_candidate_after_five_records(folder: Path) -> None:
    report, loopback, slept = asked(folder, bedrock.always_throttled)
    assert len(loopback.requests) == 5 * 3 and slept == [1.0, 2.0] * 5
    assert report["status"] == "failed"
    assert report["reason"].startswith("5 records in a row had no answer")
    assert report["reason"].endswith("Bedrock: ThrottlingException, however often it was tried")


@pytest.mark.parametrize("stop", ["guardrail_intervened", "content_filtered"])
def test_a_content_filter_is_a_failure_of_its_record_which_is_paid_all_the_same(folder: Path, stop: str) -> None:
    bad = evaluated(folder)[2]
    report, _, _ = asked(folder, bedrock.when(bad.input, bedrock.filtered(stop), bedrock.answered))
    assert failures(folder) == [("dev1", bad.id, f"a content filter refused it: {stop}")]
    assert (report["status"], report["answered"]) == ("partial", 10)
    words = sum(len(r.input.split()) + 1 for name in ("dev1", "dev2") for r in evaluated(folder, name) if r != bad)
    assert report["input_tokens"] == words + 9


@pytest.mark.parametrize(
    ("refusal", "length"),
    [
        (bedrock.too_long, "210253 tokens"),
        (bedrock.too_long_without_length, r"\d+ characters \(Bedrock does not say the tokens\)"),
        (lambda _: bedrock.message("Beg", 4000, "model_context_window_exceeded"), "4001 tokens with the answer's"),
    ],
)
def test_a_prompt_that_is_too_long_is_refused_with_its_length(folder: Path, refusal: Answering, length: str) -> None:
    bad = evaluated(folder)[2]
    asked(folder, bedrock.when(bad.input, refusal))
    ((_, identity, reason),) = failures(folder)
    assert identity == bad.id
    assert re.match(f"the prompt is longer than the model reads: {length}", reason)


def test_requests_that_are_refused_one_after_the_other_end_the_candidate(folder: Path) -> None:
    report, loopback, _ = asked(folder, bedrock.refused("ValidationException", 400, "The model identifier is invalid"))
    assert len(loopback.requests) == 5
    assert report["reason"].endswith("model some.model-v1:0 of Bedrock refused the text: ValidationException")


@pytest.mark.parametrize("body", [{}, {"output": {}, "stopReason": "end_turn"}, b"<html>"])
def test_an_answer_without_a_message_is_a_failure_of_its_record(folder: Path, body: Any) -> None:
    bad = evaluated(folder)[1]
    asked(folder, bedrock.when(bad.input, lambda _: Response(200, body)))
    assert failures(folder) == [("dev1", bad.id, "model some.model-v1:0 of Bedrock answered without a message")]


def test_a_service_that_cannot_be_reached_ends_the_candidate_after_five_records(folder: Path) -> None:
    with serving(bedrock.answered) as loopback:
        runtime = client("bedrock-runtime", loopback.url)
    slept: list[float] = []
    report = asked_here(folder, BedrockCandidate(runtime, "some.model", 20, Backoff((1.0,), slept.append)))
    assert slept == [1.0] * 5
    assert report["reason"].endswith("EndpointConnectionError, however often it was tried")


def test_no_reason_quotes_a_record(folder: Path) -> None:
    for refusal in (bedrock.no_access, bedrock.always_throttled, bedrock.too_long, bedrock.too_long_without_length):
        report, _, _ = asked(folder, refusal)
        told = json.dumps([report, failures(folder)])
        assert not any(record.input in told for record in evaluated(folder))
