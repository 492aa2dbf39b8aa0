"""What models are asked and what is made of their answers: AWS's API by stubs and a server here, a model for real."""

import io
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber

from tests.training.tiny_writer import build_tiny_writer, write_gguf
from training.causal_writer import CausalWriter
from training.errors import GenerationError, ModelError
from training.example_prompts import ExamplePrompt, example_prompts, texts_of
from training.example_writers import Sampling, TimeBudget
from training.remote_models import BEDROCK_RUNTIME, SAGEMAKER_RUNTIME, settings_of
from training.remote_writers import BedrockWriter, EndpointWriter
from training.splits import Record

SAMPLING = Sampling(max_new_tokens=40, temperature=0.7, seed=11)
POOL = [Record(f"{number:016x}", f"Text {number}\n with   a rash.", "Adverse_Event") for number in range(12)]
PROMPT = next(example_prompts(POOL, "harms", 5, seed=1))
NO_LIMIT = TimeBudget(0)


def client(service: str, **more: Any) -> Any:
    given = {"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.client(service, **(given | more))


def message(*blocks: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stop,
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }


def endpoint_answer(body: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(body), len(body))}


def asked_of_bedrock(response: dict[str, Any]) -> Any:
    bedrock = client("bedrock-runtime")
    expected = {
        "modelId": "some.model",
        "messages": [{"role": "user", "content": [{"text": PROMPT.as_request}]}],
        "inferenceConfig": {"maxTokens": 40, "temperature": 0.7},
    }
    with Stubber(bedrock) as stub:
        stub.add_response("converse", response, expected)
        (answer,) = BedrockWriter("some.model", SAMPLING, bedrock).write([PROMPT])
    return answer


def test_bedrock_is_asked_by_converse() -> None:
    answer = asked_of_bedrock(message({"text": "1. One text.\n2. Another"}, stop="max_tokens"))
    assert (answer.text, answer.cut_off) == ("1. One text.\n2. Another", True)
    answer = asked_of_bedrock(message({"text": "1. One"}, {"text": " text."}))
    assert (answer.text, answer.cut_off) == ("1. One text.", False)
    assert asked_of_bedrock(message()).text == ""


def test_an_endpoint_is_asked_as_text_generation_inference_is() -> None:
    runtime = client("sagemaker-runtime")
    with Stubber(runtime) as stub:
        for seed in (11, 12):
            parameters = {
                "max_new_tokens": 40,
                "temperature": 0.7,
                "top_p": 0.95,
                "do_sample": True,
                "return_full_text": False,
                "seed": seed,
            }
            expected = {
                "EndpointName": "falcon",
                "ContentType": "application/json",
                "Accept": "application/json",
                "Body": json.dumps({"inputs": PROMPT.as_list, "parameters": parameters}),
            }
            body = json.dumps([{"generated_text": f" Text {seed}.\n7. More"}]).encode()
            stub.add_response("invoke_endpoint", endpoint_answer(body), expected)
        answers = EndpointWriter("falcon", SAMPLING, runtime).write([PROMPT, PROMPT])
    assert [answer.text for answer in answers] == ["6. Text 11.\n7. More", "6. Text 12.\n7. More"]
    assert all(answer.cut_off for answer in answers)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b'{"text": "a"}', b'[{"text": "a"}]', b'[{"generated_text": 1}]', b"7"]
)
def test_an_endpoint_that_answers_nonsense_is_named(body: bytes) -> None:
    runtime = client("sagemaker-runtime")
    with Stubber(runtime) as stub:
        stub.add_response("invoke_endpoint", endpoint_answer(body))
        with pytest.raises(GenerationError, match="endpoint falcon answered in another form than"):
            EndpointWriter("falcon", SAMPLING, runtime).write([PROMPT])


@pytest.mark.parametrize(
    ("service", "call", "code", "writer"),
    [
        ("bedrock-runtime", "converse", "AccessDeniedException", BedrockWriter),
        ("sagemaker-runtime", "invoke_endpoint", "ValidationError", EndpointWriter),
    ],
)
def test_a_refusal_is_named_without_what_was_asked(service: str, call: str, code: str, writer: type[Any]) -> None:
    stubbed = client(service)
    with Stubber(stubbed) as stub:
        stub.add_client_error(call, code, f"cannot take: {PROMPT.as_request}", http_status_code=400)
        with pytest.raises(GenerationError, match=f"falcon.* cannot be asked: {code}") as caught:
            writer("falcon", SAMPLING, stubbed).write([PROMPT])
    assert "rash" not in str(caught.value)


@contextmanager
def answering(statuses: list[int], body: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that answers with each status in turn; yields its address and the statuses that it has sent."""
    sent: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(statuses[min(len(sent), len(statuses) - 1)])
            content = body if sent[-1] == 200 else b"{}"
            self.send_response(sent[-1])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


@pytest.mark.parametrize("failure", [500, 503])
def test_what_may_pass_is_asked_again(failure: int) -> None:
    body = json.dumps(message({"text": "1. A text."})).encode()
    with answering([failure, 200], body) as (url, sent):
        bedrock = client("bedrock-runtime", endpoint_url=url, config=settings_of(BEDROCK_RUNTIME))
        (answer,) = BedrockWriter("some.model", SAMPLING, bedrock).write([PROMPT])
    assert answer.text == "1. A text." and sent == [failure, 200]


@pytest.mark.parametrize("body", [b"{}", b'{"output": {}, "stopReason": "end_turn"}'])
def test_an_answer_of_bedrock_without_a_message_is_named(body: bytes) -> None:
    with answering([200], body) as (url, _):
        bedrock = client("bedrock-runtime", endpoint_url=url)
        with pytest.raises(GenerationError, match=r"model some\.model of Bedrock answered without a message"):
            BedrockWriter("some.model", SAMPLING, bedrock).write([PROMPT])


def test_what_does_not_pass_is_asked_again_only_so_often() -> None:
    retries = settings_of(SAGEMAKER_RUNTIME).merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
    with answering([503], b"") as (url, sent):
        runtime = client("sagemaker-runtime", endpoint_url=url, config=retries)
        with pytest.raises(GenerationError, match="endpoint falcon cannot be asked: "):
            EndpointWriter("falcon", SAMPLING, runtime).write([PROMPT])
    assert sent == [503, 503]


def loaded(path: Path, budget: TimeBudget = NO_LIMIT, **sampling: Any) -> CausalWriter:
    return CausalWriter.load(path, Sampling(**{"max_new_tokens": 40, "temperature": 1.0, "seed": 1} | sampling), budget)


def prompts(count: int) -> list[ExamplePrompt]:
    stream = example_prompts(POOL, "harms", 2, seed=1)
    return [next(stream) for _ in range(count)]


@pytest.fixture(scope="module")
def writer_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_writer(tmp_path_factory.mktemp("writer") / "model")


def test_a_model_answers_each_prompt_alike_again(writer_directory: Path) -> None:
    one, two = (loaded(writer_directory) for _ in range(2))
    answers = one.write(prompts(3))
    assert answers == two.write(prompts(3)) and len(answers) == 3
    assert all(answer.text.startswith("3.") and len(answer.text) > 4 for answer in answers)
    assert one.write(prompts(3)) != answers, "each call draws anew"
    assert loaded(writer_directory, seed=2).write(prompts(3)) != answers


def test_a_model_with_a_chat_template_is_asked_in_its_form(tmp_path: Path) -> None:
    chatting = loaded(build_tiny_writer(tmp_path / "model", chat=True))
    (prompt,) = prompts(1)
    asked = chatting._text(prompt)
    ask = "<user>Write a text that harms.</s>"
    one, two = (" ".join(example.input.split()) for example in prompt.examples)
    assert asked == f"{ask}<assistant>{one}</s>{ask}<assistant>{two}</s>{ask}<assistant>"
    assert len(chatting.write([prompt])) == 1


def test_an_answer_that_reaches_the_limit_is_cut_off_and_one_that_ends_is_not(writer_directory: Path) -> None:
    writer = loaded(writer_directory, max_new_tokens=200, temperature=2.0)
    answers = writer.write(prompts(5) * 3)
    assert {answer.cut_off for answer in answers} == {True, False}
    longest = max(len(answer.text) for answer in answers)
    assert all(answer.cut_off for answer in answers if len(answer.text) == longest)


def test_a_model_stops_when_the_time_is_used_up(writer_directory: Path) -> None:
    writer = loaded(writer_directory, TimeBudget(0.01), max_new_tokens=1500)
    (answer,) = writer.write(prompts(1))
    assert answer.cut_off and len(answer.text) < 1000


def test_prompts_that_are_too_long_for_a_model_are_refused(tmp_path: Path) -> None:
    writer = loaded(build_tiny_writer(tmp_path / "model", positions=64))
    with pytest.raises(GenerationError, match="the model reads and writes at most 64 tokens: a prompt of "):
        writer.write(prompts(1))


def test_a_model_comes_as_an_archive_too(writer_directory: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "model"), "gztar", writer_directory)
    assert loaded(tmp_path).write(prompts(1)) == loaded(writer_directory).write(prompts(1))


def test_a_gguf_file_is_opened_by_itself_or_in_its_folder(writer_directory: Path, tmp_path: Path) -> None:
    path = write_gguf(writer_directory, tmp_path / "tiny.gguf")
    answers = [loaded(place).write(prompts(2)) for place in (path, tmp_path)]
    assert loaded(path).model == "tiny"
    assert answers[0] == answers[1] == loaded(writer_directory).write(prompts(2))


def test_models_that_cannot_be_loaded_are_named(writer_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        loaded(tmp_path)
    (tmp_path / "a.gguf").write_bytes(b"another format, and long enough for a head")
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        loaded(tmp_path / "a.gguf")
    (tmp_path / "b.gguf").touch()
    with pytest.raises(ModelError, match=r"one GGUF file, found a\.gguf, b\.gguf"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (
            "6. One text.\n7. Another\n   that goes on.\n8.\nA third.",
            ["One text.", "Another that goes on.", "A third."],
        ),
        ("Here are five:\n\n1. “One text.”\n\n2. **Two.**\n\nI hope this helps.\n1. Not this.", ["One text.", "Two."]),
        ("- Text 1: One.\n* Adverse Event: Two.\n• Example: 'Three.'", ["One.", "Two.", "Three."]),
        ("One text.\n\nTwo of them.", ["One text.", "Two of them."]),
        ("1) 3.5 mg were given: a rash.", ["3.5 mg were given: a rash."]),
        (" \n", [""]),
        ("6.", [""]),
    ],
)
def test_texts_are_found_in_an_answer(answer: str, texts: list[str]) -> None:
    assert texts_of(answer, "Adverse_Event") == texts


def test_prompts_show_the_texts_on_a_line_each() -> None:
    lines = PROMPT.as_list.splitlines()
    assert lines[0] == "10 different texts, each of which harms:" and lines[-1] == "6."
    assert lines[2:7] == [f"{n}. {' '.join(e.input.split())}" for n, e in enumerate(PROMPT.examples, start=1)]
    assert all(line in PROMPT.as_request.splitlines() for line in lines[2:7])
