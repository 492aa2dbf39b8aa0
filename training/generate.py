"""Let one model answer every record of every evaluation set.

    python3 -m training.generate --model DIR --evaluation DIR --output DIR --max-new-tokens 128

Reads a model directory or `model.tar.gz`, and `<set>/part-*.jsonl` as Prepare writes them below `eval/`. Writes
`<set>/part-*.jsonl` with {"id", "prediction"} (training/evaluation_answers.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging as transformers_logging

from training.errors import ArgumentError
from training.evaluation_answers import PoolAnswers, answer_parts, evaluation_parts
from training.generation import GenerationParameters, TextGenerator
from training.job import run_job, save_arguments
from training.model_directory import unpacked_model
from training.prompt import check_prompt_template
from training.splits import Record


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
    parts = evaluation_parts(arguments.evaluation)
    save_arguments(arguments, arguments.output / "arguments.json")
    with unpacked_model(arguments.model) as directory:
        generator = TextGenerator.load(directory, similar=arguments.similar)
    limit = generator.card.max_input_tokens

    def answer(pool: Sequence[Record]) -> PoolAnswers:
        questions = generator.questions([record.input for record in pool], arguments.prompt_template)
        answers = generator.generate(questions, arguments.parameters, arguments.batch_size)
        return PoolAnswers(
            [{"prediction": text} for (text,) in answers], sum(question.tokens > limit for question in questions)
        )

    answer_parts(
        parts, arguments.output, arguments.batch_size, answer, f"inputs longer than {limit} tokens were cut off"
    )


if __name__ == "__main__":
    run_job(Arguments, main)
