"""Let one model answer every record of every evaluation set.

    python3 -m training.generate --model DIR --evaluation DIR --output DIR --max-new-tokens 128

Reads a model directory or `model.tar.gz`, and `<set>/part-*.jsonl` as Prepare writes them below `eval/`. Writes a part
file of the same name for each, `<set>/part-*.jsonl` with {"id", "prediction"} in the same order; so instances that each
get some of the part files (`ShardedByS3Key`) write apart from one another. Memory does not grow with the sets.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from transformers.utils import logging as transformers_logging

from training.errors import ArgumentError, EvaluationError
from training.generation import GenerationParameters, TextGenerator
from training.job import run_job, save_arguments
from training.model_directory import unpacked_model
from training.prompt import check_prompt_template
from training.splits import Record, part_files, read_part

# Records that are held at once, sorted by length among themselves, as a multiple of the batch size.
POOL_BATCHES = 32


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`prompt_template` None means the model card's; `similar` None the similar reports that the model holds, if any.
    The decoding arguments are those of training.generation.GenerationParameters. With method mbr `batch_size` counts
    samples."""

    model: Path
    evaluation: Path
    output: Path
    similar: Path | None = None
    prompt_template: str | None = None
    max_new_tokens: int = 128
    num_beams: int = 1
    method: str | None = None
    samples: int = 16
    temperature: float = 1.0
    batch_size: int = 32
    message_file: Path | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size must be >= 1, got {self.batch_size}")
        if self.prompt_template is not None:
            check_prompt_template(self.prompt_template)
        _ = self.parameters

    @property
    def parameters(self) -> GenerationParameters:
        return GenerationParameters(
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            method=self.method,
            samples=self.samples,
            temperature=self.temperature,
        )


def main(arguments: Arguments) -> None:
    """Generate.

    Raises:
        ModelError: the model cannot be loaded.
        EvaluationError: there is no evaluation set.
    """
    transformers_logging.disable_progress_bar()
    parts = [part for folder in sorted(arguments.evaluation.glob("*/")) for part in part_files(folder)]
    if not parts:
        raise EvaluationError("there is no evaluation set to generate for: no <set>/part-*.jsonl in --evaluation")
    save_arguments(arguments, arguments.output / "arguments.json")
    with unpacked_model(arguments.model) as directory:
        generator = TextGenerator.load(directory, similar=arguments.similar)
    for part in parts:
        began = time.monotonic()
        output = arguments.output / part.parent.name / part.name
        count, cut_off = _answer_part(arguments, generator, part, output)
        print(
            f"{part.parent.name}/{part.name}: {count} records in {time.monotonic() - began:.1f} s; "
            f"cut off: {cut_off} inputs longer than {generator.card.max_input_tokens} tokens",
            flush=True,
        )


def _answer_part(arguments: Arguments, generator: TextGenerator, part: Path, output: Path) -> tuple[int, int]:
    """(records answered, inputs cut off)."""
    output.parent.mkdir(parents=True, exist_ok=True)
    limit = generator.card.max_input_tokens
    count = cut_off = 0
    with output.open("w", encoding="utf-8") as file:
        for pool in _pools(read_part(part), arguments.batch_size * POOL_BATCHES):
            questions = generator.questions([record.input for record in pool], arguments.prompt_template)
            cut_off += sum(question.tokens > limit for question in questions)
            answers = generator.generate(questions, arguments.parameters, arguments.batch_size)
            for record, (answer,) in zip(pool, answers, strict=True):
                file.write(json.dumps({"id": record.id, "prediction": answer}, ensure_ascii=False) + "\n")
            count += len(pool)
    return count, cut_off


def _pools(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    while pool := list(islice(records, size)):
        yield pool


if __name__ == "__main__":
    run_job(Arguments, main)
