"""The train split as JumpStart's training script reads it.

One folder holds JSON lines of any fields, and `template.json`, which says how their fields become what the model reads
and what it shall answer: {"prompt": "... {input} ...", "completion": "{target}"}. The script splits validation records
off by itself.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.errors import ArgumentError
from training.prompt import PLACEHOLDER, check_prompt_template
from training.record_store import json_line

TEMPLATE = "template.json"
COMPLETION = "{target}"
FIELDS = ("id", "input", "target")


def check_jumpstart_prompt(template: str) -> None:
    """Refuse a prompt that JumpStart's script would fill in otherwise than the endpoint does.

    Raises:
        ArgumentError: `{input}` is not in it exactly once, or another brace is: every brace is a field to the script.
    """
    check_prompt_template(template)
    if set("{}") & set(template.replace(PLACEHOLDER, "")):
        raise ArgumentError(f"prompt_template may hold no braces but those of {PLACEHOLDER} with JumpStart's script")


def write_template(folder: Path, prompt_template: str) -> None:
    """Write `template.json` beside the part files."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"prompt": prompt_template, "completion": COMPLETION}
    (folder / TEMPLATE).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def jumpstart_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The records without what training does not need.

    Readers of JSON lines guess a column's type from its first values, and fail where a field is null in those only,
    as `patient` and `normal` may be.
    """
    for line in lines:
        record = json.loads(line)
        yield json_line({name: record[name] for name in FIELDS})
