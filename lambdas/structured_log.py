"""Log lines as JSON objects, one a line, of ids, counts and states only.

What a user uploads may carry a patient's name even in an object's key, so a key is logged as `key_digest(key)`.
"""

import hashlib
import json
import logging
import sys
from typing import TextIO

Value = str | int | float | bool | None | list[str]


class JsonLines(logging.Formatter):
    """One JSON object a record: level, logger, event, and the fields given to `log_event`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Value] = {
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def structured_logger(name: str, stream: TextIO | None = None) -> logging.Logger:
    """A logger that writes JSON lines to `stream` (standard error by default) and to nothing else.

    Lambda's runtime puts a handler of its own on the root logger: without `propagate = False` every line would
    come twice.
    """
    logger = logging.getLogger(name)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return logger


def log_event(logger: logging.Logger, event: str, *, level: int = logging.INFO, **fields: Value) -> None:
    """Log that `event` (snake_case) happened, with its ids and counts."""
    logger.log(level, event, extra={"fields": fields})


def key_digest(key: str) -> str:
    """The first 16 hexadecimal digits of SHA-256 over an object key: enough to find the object again."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
