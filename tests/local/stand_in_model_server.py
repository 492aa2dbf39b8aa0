"""Ten lines of a model server: serves the text in `<model dir>/answer.txt`, and misbehaves when asked to."""

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model-dir", type=Path, required=True)
parser.add_argument("--port", type=int, required=True)
arguments = parser.parse_args()
answer = (arguments.model_dir / "answer.txt").read_text()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200, "")

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if asked == "die":
            os._exit(3)
        if asked in ("400", "500"):
            self._answer(int(asked), json.dumps({"error": f"asked for {asked}"}))
            return
        said = {
            "answer": answer,
            "asked": asked,
            "type": self.headers["Content-Type"],
            "attributes": self.headers["X-Amzn-SageMaker-Custom-Attributes"],
            "environment": {name: value for name, value in os.environ.items() if name.startswith("TEST_")},
            "pid": os.getpid(),
        }
        self._answer(200, json.dumps(said))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


print(f"serving {answer}", flush=True)
if answer == "broken":
    sys.exit(7)
ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()
