"""The Hugging Face inference toolkit on Multi Model Server, which are in AWS's images, serve a model's own archive."""

import contextlib
import json
import random
import socket
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.model_server import ServedModel
from tests.images import container
from tests.training.tiny_encoder import build_tiny_encoder, fine_tune_tiny_encoder, write_labelled_splits
from tests.training.tiny_model import build_tiny_model
from training.archives import unpack

_MISSING = container.missing(java=True)
pytestmark = [pytest.mark.image, pytest.mark.skipif(_MISSING is not None, reason=str(_MISSING))]

# Version 2.6.0 of the toolkit asks transformers for a function that version 5 no longer has. AWS's images for
# transformers 5 carry a toolkit that is not published; this is all that it needs to differ in.
_SHIM = "import transformers.file_utils\ntransformers.file_utils.is_tf_available = lambda: False\n"
_SERVE = "from sagemaker_huggingface_inference_toolkit.serving import main; main()"
_START_SECONDS = 180

TEXTS = ["The lungs are clear.", "There is a large effusion on the left.", "A nodule of 1.4 cm in the right apex."]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("served") / "model", steps=60)


@pytest.fixture(scope="module")
def endpoint(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of the running server, and its log."""
    with serving(model, tmp_path_factory.mktemp("image"), {}) as running:
        yield running


@contextlib.contextmanager
def serving(model: Path, folder: Path, variables: dict[str, str]) -> Iterator[tuple[str, Path]]:
    folder.mkdir(exist_ok=True)
    ml = folder / "ml"
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for item in sorted(model.iterdir()):
            packed.add(item, item.name)
    with tarfile.open(archive) as packed:
        unpack(packed, ml / "model")
    shim = folder / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(_SHIM, encoding="utf-8")
    port = free_port()
    environment = {
        "PYTHONPATH": str(shim),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_SAFE_PORT_RANGE": f"{port}-{port}",
        **variables,
    }
    log = folder / "log"
    # Where the server keeps its process id and sockets, whose paths must be short: two may run at once.
    with log.open("wb") as output, tempfile.TemporaryDirectory(prefix="mms-") as own:
        environment |= {"TMPDIR": own, "TEMP": own}
        python = str(container.ENVIRONMENT / "bin" / "python")
        process = container.start(ml, [python, "-c", _SERVE], environment, output)
        try:
            wait_until_it_answers(port, log)
            yield f"http://127.0.0.1:{port}", log
        finally:
            container.stop(process)


def free_port() -> int:
    """A port that nobody listens on. Multi Model Server keeps it in 16 bits with a sign, so it is below 32768."""
    for port in random.sample(range(20_000, 32_768), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def wait_until_it_answers(port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"no answer to /ping; the log ends with\n{log.read_text(errors='replace')[-3000:]}")


def invoke(address: str, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    """Status and JSON body of an answer."""
    request = urllib.request.Request(
        f"{address}/invocations", data=body, headers={"Content-Type": content_type}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_it_answers_as_the_local_server_does(
    endpoint: tuple[str, Path], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The local server has a process of its own and puts the model's code on its import path; here it must go again.
    monkeypatch.setattr(sys, "path", [*sys.path])
    address, _ = endpoint
    body = json.dumps({"inputs": TEXTS, "parameters": {"num_beams": 2, "max_new_tokens": 12}}).encode()
    status, answer = invoke(address, body)
    assert status == 200
    assert [set(item) for item in answer] == [{"generated_text"}] * len(TEXTS)
    _, local = ServedModel(model).invoke(body, "application/json", None)
    assert answer == json.loads(local)


def test_one_text_and_several_sequences(endpoint: tuple[str, Path]) -> None:
    address, _ = endpoint
    assert len(invoke(address, json.dumps({"inputs": TEXTS[0]}).encode())[1]) == 1
    parameters = {"num_beams": 3, "num_return_sequences": 3}
    status, answer = invoke(address, json.dumps({"inputs": TEXTS[:2], "parameters": parameters}).encode())
    assert (status, len(answer)) == (200, 6)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "said"),
    [
        ("text/plain", b"hello", 415, "application/json"),
        ("application/json", b"{not json", 400, "JSON"),
        ("application/json", b'{"text": "a"}', 400, "inputs"),
        ("application/json", b'{"inputs": ""}', 400, "empty"),
        (
            "application/json",
            json.dumps({"inputs": "word " * 5000, "parameters": {"long_inputs": "refuse"}}).encode(),
            400,
            "tokens",
        ),
        ("application/json", b'{"inputs": "a", "parameters": {"num_beams": 1000}}', 400, "num_beams"),
        ("application/json", b'{"inputs": "a", "parameters": {"beams": 2}}', 400, "beams"),
    ],
)
def test_what_it_cannot_do_is_refused_with_a_reason_and_it_lives_on(
    endpoint: tuple[str, Path], content_type: str, body: bytes, status: int, said: str
) -> None:
    address, log = endpoint
    got, answer = invoke(address, body, content_type)
    assert got == status
    assert said in answer["error"]
    assert invoke(address, json.dumps({"inputs": TEXTS[0]}).encode())[0] == 200
    assert "lungs are clear" not in log.read_text(encoding="utf-8", errors="replace")


def test_a_classifier_is_served_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("MODEL_VERSION", "4")
    fine_tune_tiny_encoder(write_labelled_splits(tmp_path), build_tiny_encoder(tmp_path / "base"), epochs=1.0)
    body = json.dumps({"inputs": [{"id": str(number), "text": text} for number, text in enumerate(TEXTS)]}).encode()
    _, local = ServedModel(tmp_path / "model").invoke(body, "application/json", None)
    with serving(tmp_path / "model", tmp_path / "image", {"MODEL_VERSION": "4"}) as (address, _):
        status, answers = invoke(address, body)
        assert status == 200
        for answer, expected in zip(answers, json.loads(local), strict=True):
            assert answer.pop("probability") == pytest.approx(expected.pop("probability"), abs=1e-5)
            assert answer == expected and answer["model_version"] == "4"
        status, answer = invoke(address, b'{"inputs": "a", "parameters": {"explain": true}}')
        assert status == 400 and "leave out explain" in answer["error"]
