"""A failure's reason as the tables hold it."""

import re

REASON_LIMIT = 1000


def clean_reason(text: str) -> str:
    """A failure's reason on one line, without control characters, at most `REASON_LIMIT` characters long."""
    line = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()
    return line if len(line) <= REASON_LIMIT else f"{line[: REASON_LIMIT - 1]}…"
