"""A SageMaker endpoint as a candidate: boto3's own client, and InvokeEndpoint answered by a server here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training import endpoint_server as endpoint
from tests.training.candidates.told import asked_here, evaluated, failures, predictions, write_inputs
from tests.training.loopback import Answering, Loopback, client, serving
from training.candidates.sagemaker_endpoint import EndpointCandidate
from training.candidates.services import Backoff

PARAMETERS = {"max_new_tokens": 20}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def asked(
    folder: Path, answer: Answering, texts_a_call: int = 4, *, as_list: bool = True
) -> tuple[dict[str, Any], Loopback, list[float]]:
    """Ask; the report, the server, and the pauses that were made."""
    slept: list[float] = []
    with serving(answer) as loopback:
        candidate = EndpointCandidate(
            client("sagemaker-runtime", loopback.url),
            endpoint.NAME,
            PARAMETERS,
            Backoff((1.0, 2.0), slept.append),
            texts_a_call=texts_a_call,
            as_list=as_list,
        )
        report = asked_here(folder, candidate, kind="custom", endpoint=endpoint.NAME)
    return report, loopback, slept


def test_a_container_gets_lists_of_texts_and_answers_them_in_order(folder: Path) -> None:
    report, loopback, _ = asked(folder, endpoint.generating)
    records = evaluated(folder)
    assert loopback.requests[0].path == f"/endpoints/{endpoint.NAME}/invocations"
    assert loopback.requests[0].content == {"inputs": [r.input for r in records[:4]], "parameters": PARAMETERS}
    assert [len(request.content["inputs"]) for request in loopback.requests] == [4, 3, 4]
    assert predictions(folder) == {r.id: f"Of {' '.join(r.input.split()[-3:])}" for r in records}
    assert (report["status"], report["needs"], report["leaves_account"]) == ("complete", ["network"], False)


def test_a_foundation_model_gets_one_text_and_may_give_it_back_in_front(folder: Path) -> None:
    _, loopback, _ = asked(folder, endpoint.with_the_prompt, 1, as_list=False)
    assert loopback.requests[0].content == {"inputs": evaluated(folder)[0].input, "parameters": PARAMETERS}
    assert set(predictions(folder).values()) == {"And more."}


def test_one_object_is_an_answer_to_one_text(folder: Path) -> None:
    asked(folder, endpoint.saying({"generated_text": "Well."}), 1, as_list=False)
    assert set(predictions(folder).values()) == {"Well."}


def test_an_endpoint_that_does_not_exist_ends_the_candidate_at_the_first_call(folder: Path) -> None:
    report, loopback, _ = asked(folder, endpoint.no_such_endpoint)
    assert len(loopback.requests) == 1 and report["status"] == "failed"
    assert report["reason"] == (
        "endpoint summaries cannot be asked: ValidationError; see whether it exists and the job may ask it"
    )


def test_throttling_that_passes_costs_no_record(folder: Path) -> None:
    report, _, slept = asked(folder, endpoint.throttled(2))
    assert (report["status"], slept) == ("complete", [1.0, 2.0])


def test_throttling_that_does_not_pass_ends_the_candidate(folder: Path) -> None:
    report, _, slept = asked(folder, endpoint.throttled(10**6))
    assert report["status"] == "failed" and "ThrottlingException, however often it was tried" in report["reason"]
    assert len(slept) == 2 * 2, "four texts and one more: texts of a call are not tried alone when none of them is bad"


def test_a_text_that_the_container_refuses_fails_alone(folder: Path) -> None:
    bad = evaluated(folder)[1]
    report, loopback, _ = asked(folder, endpoint.container_refuses(400, asks_for=bad.input))
    assert failures(folder) == [("dev1", bad.id, "endpoint summaries: its container answered with status 400")]
    assert report["answered"] == 10 and len(loopback.requests) == 3 + 4
    assert bad.input not in json.dumps([report, failures(folder)])


def test_a_container_that_always_fails_ends_the_candidate(folder: Path) -> None:
    report, loopback, _ = asked(folder, endpoint.container_refuses(500))
    assert report["reason"].endswith("its container answered with status 500")
    # Of the first four texts each could be the bad one, so they are asked alone; then one more call of several.
    assert [len(request.content["inputs"]) for request in loopback.requests] == [4, 1, 1, 1, 1, 3, 1, 1, 1]


def test_one_text_at_which_the_container_breaks_costs_no_other_its_answer(folder: Path) -> None:
    bad = evaluated(folder)[1]
    report, _, _ = asked(folder, endpoint.container_refuses(500, asks_for=bad.input))
    assert failures(folder) == [("dev1", bad.id, "endpoint summaries: its container answered with status 500")]
    assert (report["status"], report["answered"]) == ("partial", 10)


def test_a_container_that_is_busy_is_asked_again(folder: Path) -> None:
    report, _, slept = asked(folder, endpoint.container_is_busy(2))
    assert (report["status"], slept) == ("complete", [1.0, 2.0])


@pytest.mark.parametrize("body", [b"<html>", [], {"generated_text": "a"}, [{"text": "a"}], [{"generated_text": 1}]])
def test_an_answer_in_another_form_is_named(folder: Path, body: Any) -> None:
    report, _, _ = asked(folder, endpoint.saying(body))
    assert report["status"] == "failed"
    assert 'endpoint summaries answered in another form than [{"generated_text": "..."}]' in report["reason"]


def test_texts_of_a_call_that_is_answered_too_short_are_asked_alone(folder: Path) -> None:
    def answer(request: Any) -> Any:
        one = len(request.content["inputs"]) == 1
        return endpoint.generating(request) if one else endpoint.saying([{"generated_text": "One."}])(request)

    report, _, _ = asked(folder, answer)
    assert report["status"] == "complete" and "One." not in predictions(folder).values()
