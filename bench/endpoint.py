"""How long the live endpoint takes on this machine: one report a request, and batches.

    python3 -m bench.endpoint MODEL --folder .local/data [--threads 2] [--explain]

MODEL is a model directory or its `model.tar.gz`; `python3 -m bench.copying_quality --keep FOLDER` leaves one. Starts
local/model_server.py as a process of its own and asks it over HTTP about the test part of the Open-i reports
(local/open_i.py says under which licence), in the model's own way of decoding. Prints figures only: milliseconds by the
clock, and of computing (processor time of the server over all its threads), which other programs disturb less.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.copying_quality import TEST, split_reports
from local.open_i import read_reports
from training.model_directory import unpacked_model

BATCHES = (8, 32)
# Reports asked before anything is measured.
WARM_UP = 3


@dataclass(frozen=True)
class Took:
    """Seconds of one request."""

    clock: float
    computing: float


class Server:
    """A model server and one connection to it."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, explain: bool) -> None:
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._process = process
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._parameters = {"explain": True} if explain else {}

    def ask(self, texts: Sequence[str]) -> Took:
        body = json.dumps({"inputs": list(texts), "parameters": self._parameters})
        clock, computing = time.perf_counter(), self._computed()
        self._connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answers = json.loads(response.read())
        took = Took(time.perf_counter() - clock, self._computed() - computing)
        if response.status != http.HTTPStatus.OK or len(answers) != len(texts):
            raise SystemExit(f"the endpoint answered with status {response.status}")
        return took

    def _computed(self) -> float:
        """Processor time of the server so far, in steps of 10 ms."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / self._ticks


@contextmanager
def serving(model: Path, threads: int, explain: bool) -> Iterator[Server]:
    command = [sys.executable, "-m", "local.model_server", "--model-dir", str(model), "--port", "0"]
    with subprocess.Popen(
        [*command, "--threads", str(threads)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    ) as process:
        assert process.stdout is not None
        try:
            # It says a line a request as well; so few of them fit into the pipe.
            yield Server(process, int(process.stdout.readline().rpartition(":")[2]), explain)
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="where the reports are, or are downloaded to")
    parser.add_argument("--reports", type=int, default=96)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--explain", action="store_true")
    arguments = parser.parse_args()
    asked = split_reports(read_reports(arguments.folder), TEST).asked
    texts = [record.input for record in asked[: arguments.reports + WARM_UP]]
    with (
        unpacked_model(arguments.model) as model,
        serving(model.absolute(), arguments.threads, arguments.explain) as server,
    ):
        for text in texts[:WARM_UP]:
            server.ask([text])
        texts = texts[WARM_UP:]
        print(f"{len(texts)} reports, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}; milliseconds")
        single = [server.ask([text]) for text in texts]
        _say("one report a request", [single], 1)
        for size in BATCHES:
            batches = [server.ask(texts[start : start + size]) for start in range(0, len(texts), size)]
            _say(f"batches of {size}", [single, batches], len(texts))


def _say(name: str, took: Sequence[Sequence[Took]], reports: int) -> None:
    """`took` holds the single requests and, for a batch, its own."""
    for what in ("clock", "computing"):
        single, *rest = ([1000 * getattr(one, what) for one in some] for some in took)
        if not rest:
            median, late = np.quantile(single, (0.5, 0.95))
            print(f"{name}, {what}: median {median:.0f}, p95 {late:.0f}, mean {np.mean(single):.0f}")
        else:
            each = sum(rest[0]) / reports
            print(f"{name}, {what}: {each:.0f} a report, {np.mean(single) / each:.2f} times as fast as alone")


if __name__ == "__main__":
    main()
