"""Let a fine-tuned classifier, or two that are to be compared, answer every record of every evaluation set.

    python3 -m training.classify --fine-tuned DIR [--without-synthetic DIR] --evaluation DIR --output DIR

Reads model directories or `model.tar.gz`, and `<set>/part-*.jsonl` as Prepare writes them below `eval/`. Writes, below
`<output>/fine-tuned` and `<output>/without-synthetic`, `<set>/part-*.jsonl` with {"id", "prediction", "probability"},
and decision.json (training/classifier_answers.py). A text longer than the model reads at once is read in windows, as at
the endpoint (training/text_classifier.py).
"""

from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging as transformers_logging

from training.classifier_answers import write_classified_sets
from training.errors import ArgumentError
from training.evaluation_answers import evaluation_parts
from training.job import run_job, save_arguments
from training.model_directory import unpacked_model
from training.text_classifier import TextClassifier


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`batch_size` is in windows of a text, most of which have one. `without_synthetic` is None where there is but one
    model."""

    fine_tuned: Path
    evaluation: Path
    output: Path
    without_synthetic: Path | None = None
    batch_size: int = 64
    message_file: Path | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size must be >= 1, got {self.batch_size}")

    @property
    def models(self) -> dict[str, Path]:
        """Folder of answers -> model."""
        folders = {"fine-tuned": self.fine_tuned, "without-synthetic": self.without_synthetic}
        return {name: model for name, model in folders.items() if model is not None}


def main(arguments: Arguments) -> None:
    """Classify.

    Raises:
        ModelError: the model cannot be loaded, or is no trained classifier.
        EvaluationError: there is no evaluation set.
        UploadError: a line of a set is not a record.
    """
    transformers_logging.disable_progress_bar()
    parts = evaluation_parts(arguments.evaluation)
    save_arguments(arguments, arguments.output / "arguments.json")
    for name, model in arguments.models.items():
        with unpacked_model(model) as directory:
            classifier = TextClassifier.load(directory)
        print(f"{name}:", flush=True)
        write_classified_sets(classifier, parts, arguments.output / name, arguments.batch_size)


if __name__ == "__main__":
    run_job(Arguments, main)
