"""Let one model answer every record of every evaluation set.

    python3 -m training.generate --model DIR --evaluation DIR --output DIR --max-new-tokens 128

Reads a model directory or `model.tar.gz`, and `<set>/part-*.jsonl` as Prepare writes them below `eval/`. Writes
`<set>/part-*.jsonl` with {"id", "prediction"} and, where inputs were longer than the model reads, `<set>/long-*.jsonl`
(training/evaluation_answers.py); and answering.json with {"seconds": of answering, without loading, "records"}, of this
machine's part files where several share them.

With `--long-inputs refuse` the prediction for an input that is too long is empty: it scores as an empty answer, and
Evaluate says of how many that is so.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging as transformers_logging

from training.errors import ArgumentError
from training.evaluation_answers import ANSWERING, PoolAnswers, answer_parts, evaluation_parts
from training.generation import REFUSE, SPLIT, GenerationParameters, TextGenerator
from training.job import run_job, save_arguments
from training.model_directory import unpacked_model
from training.prompt import check_prompt_template
from training.splits import Record
from training.summariser import Summariser


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
    long_inputs: str = SPLIT
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
            long_inputs=self.long_inputs,
        )


def main(arguments: Arguments) -> None:
    """Generate.

    Raises:
        ModelError: the model cannot be loaded.
        EvaluationError: there is no evaluation set.
        ArgumentError: the model cannot be asked in this way.
    """
    transformers_logging.disable_progress_bar()
    parts = evaluation_parts(arguments.evaluation)
    save_arguments(arguments, arguments.output / "arguments.json")
    with unpacked_model(arguments.model) as directory:
        generator = TextGenerator.load(directory, similar=arguments.similar)
    summariser = Summariser(generator, arguments.parameters, arguments.batch_size, arguments.prompt_template)
    became = "refused" if arguments.long_inputs == REFUSE else "read in pieces"
    long_inputs = f"inputs longer than {summariser.limit} tokens were {became}"

    def answer(pool: Sequence[Record]) -> PoolAnswers:
        readings = summariser.read([record.input for record in pool])
        lines = [{"prediction": summary.answers[0]} for summary in summariser.answer(readings)]
        return PoolAnswers(lines, [(reading.tokens, reading.read_in) for reading in readings])

    began = time.monotonic()
    records = answer_parts(parts, arguments.output, arguments.batch_size, answer, long_inputs)
    answering = {"seconds": round(time.monotonic() - began, 3), "records": records}
    (arguments.output / ANSWERING).write_text(json.dumps(answering) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_job(Arguments, main)
