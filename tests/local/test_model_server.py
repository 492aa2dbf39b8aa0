"""The local model server, over HTTP, with a real tiny model and with one that fails."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_encoder import (
    NEGATIVE,
    POSITIVE,
    build_tiny_encoder,
    fine_tune_tiny_encoder,
    write_labelled_splits,
)
from tests.training.tiny_model import build_tiny_model

REPOSITORY = Path(__file__).parents[2]
TEXT = "There is a nodule on the left, seen in view 7."
FAILING_MODEL = """
def model_fn(model_dir, context=None): return None
def input_fn(body, content_type, context=None): return body.decode()
def predict_fn(request, model, context=None): raise ValueError(request)
def output_fn(answer, accept, context=None): return answer
"""


@dataclass
class Server:
    port: int
    log: Path

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """(status, JSON value or None)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content) if content else None

    def ask(self, body: Any) -> tuple[int, Any]:
        return self.send("POST", "/invocations", json.dumps(body).encode(), Content_Type="application/json")


@contextmanager
def serving(model: Path, log: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "local.model_server", "--model-dir", str(model), "--port", "0", "--threads", "1"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line.startswith("listening on 127.0.0.1:"), log.read_text()
            yield Server(int(line.rpartition(":")[2]), log)
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=30)
            output.write(rest)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    with serving(build_tiny_model(folder / "model"), folder / "log") as running:
        yield running


def test_ping_and_answer(server: Server) -> None:
    assert server.send("GET", "/ping") == (200, None)
    status, answer = server.ask({"inputs": [TEXT, "Clear."]})
    assert status == 200
    assert [set(entry) for entry in answer] == [{"generated_text"}, {"generated_text"}]


def test_refusals_have_their_status_and_the_server_lives_on(server: Server) -> None:
    assert server.ask({"inputs": ""})[0] == 400
    assert server.ask({"inputs": TEXT, "parameters": {"num_beams": 99}})[0] == 400
    status, answer = server.send("POST", "/invocations", b"a,b", Content_Type="text/csv")
    assert status == 415 and "application/json" in answer["error"]
    assert server.send("POST", "/invocations", b"{", Content_Type="application/json")[0] == 400
    assert server.send("GET", "/elsewhere")[0] == 404
    assert server.send("POST", "/elsewhere", b"")[0] == 404
    assert server.ask({"inputs": TEXT})[0] == 200


def test_a_classifier_is_served_by_the_same_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_VERSION", "4")
    fine_tune_tiny_encoder(write_labelled_splits(tmp_path), build_tiny_encoder(tmp_path / "base"), epochs=1.0)
    with serving(tmp_path / "model", tmp_path / "log") as running:
        items = [{"id": one, "text": f"He had {one} 🤢."} for one in ("б", "a")]
        status, answers = running.ask({"inputs": items})
        assert status == 200 and [answer["id"] for answer in answers] == ["б", "a"]
        assert all(set(answer) == {"id", "label", "probability", "model_version"} for answer in answers)
        assert {answer["label"] for answer in answers} <= {POSITIVE, NEGATIVE}
        assert {answer["model_version"] for answer in answers} == {"4"}
        status, answer = running.ask({"inputs": TEXT, "parameters": {"num_beams": 2}})
        assert status == 400 and "takes no parameters" in answer["error"]
        assert running.ask({"inputs": TEXT})[0] == 200


def test_a_body_larger_than_sagemakers_limit_is_refused_unread(server: Server) -> None:
    too_long = str(6 * 1024 * 1024 + 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {too_long}\r\n\r\n".encode())
        answer = connection.makefile("rb").read()  # to the end: the server closes the connection
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"the body has {too_long} bytes".encode() in answer
    assert server.send("GET", "/ping")[0] == 200


@pytest.mark.parametrize("header", ["", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_body_without_a_length_is_refused(server: Server, header: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"POST /invocations HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 411 ")


def test_requests_at_the_same_time_all_get_their_own_answer(server: Server) -> None:
    texts = [f"There is a hernia, seen in view {number}." for number in range(8)]
    expected = [server.ask({"inputs": text}) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: server.ask({"inputs": text}), texts)) == expected


def test_it_listens_on_the_loopback_address_only(server: Server) -> None:
    # The rest of 127.0.0.0/8 is this machine too, but another address: a server on all interfaces would answer there.
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), timeout=5):
        pass


def test_a_model_that_fails_is_500_and_no_text_reaches_answer_or_log(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(FAILING_MODEL)
    with serving(tmp_path, tmp_path / "log") as failing:
        status, answer = failing.send("POST", "/invocations?secret", b"secret finding", Content_Type="text/plain")
        assert status == 404
        status, answer = failing.send("POST", "/invocations", b"secret finding", Content_Type="text/plain")
        assert (status, answer) == (500, {"error": "the model failed with ValueError"})
        assert failing.send("GET", "/ping")[0] == 200
    log = (tmp_path / "log").read_text()
    assert "predict_fn" in log and "POST /invocations 500" in log
    assert "secret" not in log


def test_a_directory_without_a_model_ends_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.model_server", "--model-dir", str(tmp_path), "--port", "0"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "No module named 'inference'" in done.stderr
