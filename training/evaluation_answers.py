"""One model's answers to every record of every evaluation set: what the scripts that ask models share.

Reads `<set>/part-*.jsonl` as Prepare writes them below `eval/`, and writes a part file of the same name for each, in
the same order, and beside it, where there are any, which inputs were longer than the model reads:

    <set>/long-*.jsonl    {"id", "tokens": with the prompt, "pieces": how many it was read in, 0 where it was refused}

So instances that each get some of the part files (`ShardedByS3Key`) write apart from one another, and
memory does not grow with the sets: a pool of records is held at once.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from training.errors import EvaluationError
from training.splits import Record, part_files, read_part

# What answering took: {"seconds", "records"}.
ANSWERING = "answering.json"
# Records in a pool, which a model sorts by length among themselves, as a multiple of the batch size.
POOL_BATCHES = 32
PART, LONG = "part-", "long-"


@dataclass(frozen=True)
class PoolAnswers:
    """What is written of each record of a pool, beside its id; `lengths` are (tokens, pieces) of each."""

    lines: Sequence[Mapping[str, Any]]
    lengths: Sequence[tuple[int, int]]


def evaluation_parts(evaluation: Path) -> list[Path]:
    """The part files of all sets.

    Raises:
        EvaluationError: there is none.
    """
    parts = [part for folder in sorted(evaluation.glob("*/")) for part in part_files(folder)]
    if not parts:
        raise EvaluationError("there is no evaluation set to answer: no <set>/part-*.jsonl in --evaluation")
    return parts


def answer_parts(
    parts: Sequence[Path],
    output: Path,
    batch_size: int,
    answer: Callable[[Sequence[Record]], PoolAnswers],
    long_inputs: str,
) -> int:
    """Write `<output>/<set>/part-*.jsonl`, and say of each how long it took and how many `long_inputs` it had: "texts
    longer than 128 tokens were read in windows".

    Returns:
        How many records were answered.

    Raises:
        UploadError: a line is not a record.
    """
    records = 0
    for part in parts:
        began = time.monotonic()
        place = Path(part.parent.name) / part.name
        (output / place).parent.mkdir(parents=True, exist_ok=True)
        count, long = 0, list[dict[str, Any]]()
        with (output / place).open("w", encoding="utf-8") as file:
            for pool in pools(read_part(part), batch_size):
                answers = answer(pool)
                for record, line, (tokens, pieces) in zip(pool, answers.lines, answers.lengths, strict=True):
                    file.write(json.dumps({"id": record.id, **line}, ensure_ascii=False) + "\n")
                    if pieces != 1:
                        long.append({"id": record.id, "tokens": tokens, "pieces": pieces})
                count += len(pool)
        if long:
            lines = "".join(json.dumps(row) + "\n" for row in long)
            (output / place).with_name(LONG + part.name.removeprefix(PART)).write_text(lines, encoding="utf-8")
        seconds = time.monotonic() - began
        print(f"{place}: {count} records in {seconds:.1f} s; {len(long)} {long_inputs}", flush=True)
        records += count
    return records


def pools(records: Iterator[Record], batch_size: int) -> Iterator[list[Record]]:
    """Records in lists of POOL_BATCHES * `batch_size`."""
    while pool := list(islice(records, POOL_BATCHES * batch_size)):
        yield pool
