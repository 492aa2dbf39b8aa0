"""Reading what Prepare wrote: a split is a folder of `part-*.jsonl` files, one record a line."""

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.errors import UploadError


@dataclass(frozen=True)
class Record:
    """One text pair. `id` is 16 hexadecimal digits, made by Prepare from both texts."""

    id: str
    input: str
    target: str


def part_files(split: Path) -> list[Path]:
    """The part files below `split`, in order of their names."""
    return sorted(split.glob("part-*.jsonl"))


def read_part(path: Path) -> Iterator[Record]:
    """Stream the records of one part file.

    Raises:
        UploadError: a line is not a record. It names file and line, never the text.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                content = json.loads(line)
                record = Record(id=content["id"], input=content["input"], target=content["target"])
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise UploadError(
                    f"{path.name} line {number} is not a record with id, input and target; run Prepare again"
                ) from error
            yield record


def read_split(split: Path) -> Iterator[Record]:
    """Stream all records of a split, in the order of Prepare."""
    for path in part_files(split):
        yield from read_part(path)


def draw_records(records: Iterable[Record], count: int) -> list[Record]:
    """At most `count` of a stream, by their ids, which are hashes: so they are like the rest, and always the same."""
    return heapq.nsmallest(count, records, key=lambda record: record.id)
