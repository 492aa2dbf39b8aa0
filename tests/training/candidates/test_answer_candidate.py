"""The job as a pipeline runs it: a process of its own, whose candidate fails in every way while the job succeeds."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.training import converse_server, endpoint_server
from tests.training.candidates.told import EXAMPLE, PROMPT, evaluated, failures, predictions, write_inputs
from tests.training.loopback import CREDENTIALS, Answering, serving
from tests.training.tiny_writer import build_tiny_writer

REPOSITORY = Path(__file__).parents[3]
HEAD = "import os, signal, sys, time\ndef model_fn(model_dir): return 0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def run(folder: Path, kind: str, urls: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    given = {
        "name": "the-candidate",
        "kind": kind,
        "train": folder / "train",
        "evaluation": folder / "eval",
        "output": folder / "output",
        "seed": 1,
        **more,
    }
    places = {f"AWS_ENDPOINT_URL_{service}": url for service, url in (urls or {}).items()}
    return subprocess.run(
        [
            *(sys.executable, "-m", "training.answer_candidate"),
            *chain.from_iterable((f"--{name.replace('_', '-')}", str(value)) for name, value in given.items()),
        ],
        cwd=REPOSITORY,
        env={**os.environ, **CREDENTIALS, **places, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def answered(folder: Path, kind: str, urls: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """Run the job, which succeeds; the report."""
    ran = run(folder, kind, urls, **more)
    assert ran.returncode == 0, ran.stderr
    assert not list(folder.glob("candidate-*")), "nothing is left behind"
    report: dict[str, Any] = json.loads((folder / "output" / "candidate.json").read_text(encoding="utf-8"))
    assert report["name"] == "the-candidate"
    assert report["reason"] is None or report["reason"] in ran.stdout
    asked = sum(counts["asked"] for counts in report["sets"].values())
    assert asked == report["answered"] + len(failures(folder)) == 11
    return report


def handler(folder: Path, predict: str, head: str = HEAD) -> Path:
    place = folder / "handler"
    place.mkdir(exist_ok=True)
    body = f"def predict_fn(data, model):\n    texts = data['inputs']\n{_indented(predict)}"
    (place / "inference.py").write_text(f"{head}\n{body}\n", encoding="utf-8")
    return place


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in dedent(text).strip().splitlines())


GOOD = "return [{'generated_text': text[-9:]} for text in texts]"


def test_a_handler_answers_and_all_its_output_is_there(folder: Path) -> None:
    report = answered(folder, "custom", handler=handler(folder, GOOD), licence="MIT", dollars_per_hour=0.4)
    assert (report["status"], report["reason"], report["answered"]) == ("complete", None, 11)
    assert report["needs"] == ["acceptance of the licence MIT"] and report["dollars_per_1000"] > 0
    assert set(predictions(folder).values()) == {record.input[-9:] for record in evaluated(folder)}
    assert json.loads((folder / "output" / "arguments.json").read_text())["licence"] == "MIT"


# Answers two calls of two, then does what a candidate may do.
AFTER_TWO = "global asked\nasked = asked + 1\nif asked == 3: DOES\n" + GOOD


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "its process was killed (signal 9), which is mostly for want of memory",
        ),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its process was killed (signal 11)"),
        ("sys.exit('a secret')", "its process ended with exit status 1 before it was done"),
        ("os._exit(0)", "its process ended with exit status 0 before it was done"),
    ],
)
def test_what_ends_its_process_ends_the_candidate_which_keeps_its_answers(
    folder: Path, does: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    place = handler(folder, AFTER_TWO.replace("DOES", does), head=f"{HEAD}asked = 0")
    report = answered(folder, "custom", handler=place, batch_size=2)
    assert (report["status"], report["reason"], report["answered"]) == ("partial", reason, 4)
    assert list(predictions(folder)) == [record.id for record in evaluated(folder)[:4]]
    assert {told for _, _, told in failures(folder)} == {f"not asked: {reason}"}
    assert "secret" not in "".join(capfd.readouterr())


def test_a_process_that_is_killed_while_loading_has_answered_nothing(folder: Path) -> None:
    place = handler(folder, GOOD, head="import os\nos.kill(os.getpid(), 9)\ndef model_fn(model_dir): return 0")
    report = answered(folder, "custom", handler=place)
    assert report["status"] == "failed" and "for want of memory" in report["reason"]
    assert report["seconds"] == 0 and report["seconds_per_1000"] is None


def test_a_candidate_that_hangs_is_ended(folder: Path) -> None:
    report = answered(folder, "custom", handler=handler(folder, "time.sleep(3600)"), max_seconds=2)
    assert report["status"] == "failed"
    assert report["reason"] == "it was not done after 2 seconds (max_seconds)"


def test_a_model_is_loaded_and_asked_with_examples(folder: Path) -> None:
    model = build_tiny_writer(folder / "model")
    report = answered(folder, "foundation", model=model, prompt=PROMPT, example=EXAMPLE, examples=2, max_new_tokens=8)
    assert (report["status"], report["leaves_account"], report["needs"]) == ("complete", False, [])


def asked_of(service: str, answer: Answering, folder: Path, kind: str, **more: Any) -> dict[str, Any]:
    with serving(answer) as loopback:
        return answered(folder, kind, {service: loopback.url}, **more)


BEDROCK = {"model_id": "some.model", "prompt": '"{input}"', "max_new_tokens": 20}


def test_bedrock_answers_after_throttling(folder: Path) -> None:
    report = asked_of("BEDROCK_RUNTIME", converse_server.throttled(1), folder, "bedrock", **BEDROCK)
    assert (report["status"], report["leaves_account"], report["needs"]) == ("complete", True, ["network"])
    assert report["input_tokens"] > 0 and report["dollars"] is None


# Each candidate, and what its report says of why it has no answer.
FAILING: dict[str, tuple[str, Answering | None, str, dict[str, Any], str]] = {
    "a Bedrock model without access": (
        "BEDROCK_RUNTIME",
        converse_server.no_access,
        "bedrock",
        BEDROCK,
        "model some.model of Bedrock cannot be asked: AccessDeniedException",
    ),
    "an endpoint that does not exist": (
        "SAGEMAKER_RUNTIME",
        endpoint_server.no_such_endpoint,
        "foundation",
        {"endpoint": "falcon", "prompt": PROMPT, "max_new_tokens": 20},
        "endpoint falcon cannot be asked: ValidationError",
    ),
    "a content filter": (
        "BEDROCK_RUNTIME",
        converse_server.filtered("content_filtered"),
        "bedrock",
        BEDROCK,
        "11 of 11 records have no answer, most often: a content filter refused it: content_filtered",
    ),
    "a handler that is none": ("", None, "custom", {"handler": "train"}, "the handler's folder holds no inference.py"),
}


@pytest.mark.parametrize("which", FAILING)
def test_each_candidate_fails_alone_and_by_name(folder: Path, which: str) -> None:
    service, answer, kind, more, reason = FAILING[which]
    if answer is not None:
        report = asked_of(service, answer, folder, kind, **more)
    else:
        report = answered(folder, kind, **{name: folder / value for name, value in more.items()})
    assert report["status"] == "failed" and report["reason"].startswith(reason)
    assert report["answered"] == 0 and not predictions(folder)


def test_a_hub_that_cannot_be_reached_is_a_failure_of_its_candidate_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # without the hub library's own tries, which take a minute
    model = {"model_id": "maker/model", "revision": "a" * 40}
    report = answered(folder, "foundation", prompt=PROMPT, max_new_tokens=8, **model)
    assert (report["status"], report["needs"]) == ("failed", ["network"])
    assert report["reason"].startswith(f"maker/model at {'a' * 40} cannot be downloaded: ")


def test_only_faults_of_its_own_inputs_fail_the_job(folder: Path, tmp_path: Path) -> None:
    place = handler(folder, GOOD)
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = run(folder, "custom", handler=place, evaluation=empty, message_file=tmp_path / "message")
    assert ran.returncode == 1
    assert (tmp_path / "message").read_text().startswith("EvaluationError: there is no evaluation set to answer")
    ran = run(folder, "custom", message_file=tmp_path / "message")
    assert ran.returncode == 1
    assert (tmp_path / "message").read_text().startswith("ArgumentError: kind custom takes --handler or --endpoint")
    assert not (folder / "output" / "candidate.json").exists()
