"""Ten lines of a classifier's model server: the probability stands in the text, the answers come in reverse order.

A text with NONSENSE in it makes the whole answer nonsense, one with REFUSE refuses the request.
"""

import argparse
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

parser = argparse.ArgumentParser()
parser.add_argument("--model-dir", type=Path, required=True)
parser.add_argument("--port", type=int, required=True)
arguments = parser.parse_args()


def entry(given: dict[str, str]) -> dict[str, Any]:
    found = re.search(r"p=([\d.]+)", given["text"])
    probability = float(found[1]) if found else 0.1
    label = "Adverse_Event" if probability >= 0.5 else "Not_AE"
    return {"id": given["id"], "label": label, "probability": probability, "model_version": "1"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200, "")

    def do_POST(self) -> None:
        inputs = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
        said = " ".join(item["text"] for item in inputs)
        if "REFUSE" in said:
            self._answer(400, json.dumps({"error": "asked for"}))
        elif "NONSENSE" in said:
            self._answer(200, "<html>busy</html>")
        else:
            self._answer(200, json.dumps([entry(item) for item in reversed(inputs)]))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()
