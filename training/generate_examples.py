"""Let a model write further texts of the rare label, shown five of the training texts at a time, and keep the usable.

    python3 -m training.generate_examples --train DIR --validation DIR --evaluation DIR --output DIR \\
        --positive-label Adverse_Event --negative-label Not_AE --provider model --model DIR --count 500 --seed 1

Reads the train split, the validation split and the evaluation sets of Prepare (`<evaluation>/<set>/`). Only training
texts are shown to the model; the others are there to drop what is close to one of them. `--provider` says what writes:
`model` a causal model in `--model` (training/causal_writer.py), `bedrock` the model `--model-id`, `endpoint` the
SageMaker endpoint `--endpoint` (training/remote_writers.py).

Writes the kept texts to `<output>/synthetic/` in the form of Prepare's splits, each with `"synthetic": true`, every
text with its fate to `<output>/examples.jsonl`, counts to `<output>/report.json` and the arguments to
`<output>/arguments.json`. It asks until `--count` texts are kept, but at most four times as often as would be needed
if all were, and at most for `--max-seconds` (loading the model not counted). Fewer texts than asked for, or none, are a
warning and no error: the run goes on with what there is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from transformers.utils import logging as transformers_logging

from training.causal_writer import CausalWriter
from training.errors import ArgumentError, UploadError
from training.example_filters import MOST_WORDS, ExampleFilter
from training.example_prompts import ExamplePrompt, example_prompts, in_words, texts_of
from training.example_writers import (
    BEDROCK,
    ENDPOINT,
    MODEL,
    PROVIDERS,
    ExampleWriter,
    Sampling,
    TimeBudget,
)
from training.job import run_job, save_arguments
from training.known_texts import KnownTexts, words_of
from training.labels import Labels
from training.phi import suspected_phi
from training.remote_writers import BedrockWriter, EndpointWriter
from training.splits import Record, draw_records, part_files, read_split
from training.synthetic_examples import EXAMPLES, REPORT
from training.tfidf_floor import TfidfFloor
from training.written_examples import PROMPTS_USED, TIME_USED, TOO_FEW_TO_SHOW, WrittenExamples

SYNTHETIC = "synthetic"
# Prompts at most, as a multiple of those that would do if every text were kept.
MOST_PROMPTS = 4
# Records drawn by their hash, which bound what memory holds: to train the first model, and to show to the writing one.
FLOOR_RECORDS, POOL_RECORDS = 100_000, 50_000


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`count` texts are wanted; `examples_a_prompt` 1..20 are shown; `max_seconds` 0 means no limit. Exactly the one of
    `model`, `model_id` and `endpoint` is given that belongs to `provider`. `description` tells the model what texts of
    the label have in common: it goes on after "a text that". Without it the label's name must do."""

    train: Path
    validation: Path
    evaluation: Path
    output: Path
    positive_label: str
    negative_label: str
    provider: str
    model: Path | None = None
    model_id: str | None = None
    endpoint: str | None = None
    description: str | None = None
    count: int = 500
    examples_a_prompt: int = 5
    seed: int = 1
    max_seconds: float = 0.0
    max_new_tokens: int = 256
    temperature: float = 0.5
    message_file: Path | None = None

    def __post_init__(self) -> None:
        needed = {MODEL: "model", BEDROCK: "model_id", ENDPOINT: "endpoint"}
        if self.provider not in PROVIDERS:
            raise ArgumentError(f"provider must be one of {', '.join(PROVIDERS)}, got {self.provider!r}")
        for provider, name in needed.items():
            if (getattr(self, name) is not None) != (provider == self.provider):
                verb = "needs" if provider == self.provider else "takes no"
                raise ArgumentError(f"provider {self.provider} {verb} --{name.replace('_', '-')}")
        if self.count < 1 or self.max_seconds < 0:
            raise ArgumentError(f"count must be >= 1 and max_seconds >= 0, got {self.count} and {self.max_seconds}")
        if not 1 <= self.examples_a_prompt <= 20:
            raise ArgumentError(f"examples_a_prompt must be between 1 and 20, got {self.examples_a_prompt}")
        _ = self.labels, self.sampling

    @property
    def labels(self) -> Labels:
        return Labels(self.positive_label, self.negative_label)

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.max_new_tokens, self.temperature, self.seed)

    @property
    def kind(self) -> str:
        """What is true of each text, as prompts say it."""
        return self.description or f"is of the kind “{in_words(self.positive_label)}”"

    def most_prompts(self, texts_a_prompt: int) -> int:
        return MOST_PROMPTS * -(-self.count // texts_a_prompt)


def main(arguments: Arguments, writer: ExampleWriter | None = None) -> None:
    """Ask, judge, write. `writer` stands for the one that the arguments name.

    Raises:
        UploadError: a split is empty, lacks one of the labels or holds another, or a line of it is not a record.
        ModelError: the model cannot be loaded.
        GenerationError: the model cannot be asked.
    """
    save_arguments(arguments, arguments.output / "arguments.json")
    transformers_logging.disable_progress_bar()
    first_model = _first_model(arguments)
    judge = ExampleFilter(
        KnownTexts(record.input for record in read_split(arguments.train)),
        KnownTexts(_evaluated_texts(arguments)),
        first_model,
    )
    pool = draw_records(_showable(arguments), POOL_RECORDS)
    budget = TimeBudget(arguments.max_seconds)
    writer = writer or _writer(arguments, budget)
    written = WrittenExamples(arguments.positive_label, writer.provider, writer.model)
    if len(pool) >= arguments.examples_a_prompt:
        budget.start()
        prompts = example_prompts(pool, arguments.kind, arguments.examples_a_prompt, arguments.seed)
        _ask(arguments, writer, prompts, judge, budget, written)
    else:
        written.ended_by = TOO_FEW_TO_SHOW
    written.save(arguments.output / SYNTHETIC)
    written.save_fates(arguments.output / EXAMPLES)
    _report(arguments, written, len(pool), first_model)


def _ask(
    arguments: Arguments,
    writer: ExampleWriter,
    prompts: Iterator[ExamplePrompt],
    judge: ExampleFilter,
    budget: TimeBudget,
    written: WrittenExamples,
) -> None:
    """Ask until there is enough; what an answer holds beyond that is left alone."""
    most = arguments.most_prompts(1 if writer.one_text_a_prompt else arguments.examples_a_prompt)
    while written.kept < arguments.count:
        if written.prompts == most or budget.left <= 0:
            written.ended_by = TIME_USED if budget.left <= 0 else PROMPTS_USED
            break
        some = list(islice(prompts, min(writer.prompts_a_call, most - written.prompts)))
        written.prompts += len(some)
        for prompt, answer in zip(some, writer.write(some), strict=True):
            texts = texts_of(answer.text, arguments.positive_label)
            for judged in judge.judge(texts, prompt, answer.cut_off):
                if written.kept < arguments.count:
                    written.add(judged, prompt)
        written.seconds = budget.seconds
        print(f"{written.prompts} prompts, {len(written.texts)} texts, {written.kept} kept", flush=True)


def _first_model(arguments: Arguments) -> TfidfFloor:
    """The TF-IDF floor, trained on training records, its threshold chosen on validation records."""
    texts, truth = _labelled(arguments, arguments.train)
    model = TfidfFloor(texts, truth)
    model.choose_threshold(*_labelled(arguments, arguments.validation))
    return model


def _labelled(arguments: Arguments, split: Path) -> tuple[list[str], np.ndarray]:
    """Texts of a split, and whether each is positive."""
    records = draw_records(read_split(split), FLOOR_RECORDS)
    labels = arguments.labels
    for record in records:
        if record.target not in labels.names:
            raise UploadError(f"record {record.id} is not labelled {labels}; run Prepare again")
    truth = np.array([record.target == labels.positive for record in records], dtype=bool)
    if truth.all() or not truth.any():
        raise UploadError(
            f"the {split.name} split must hold texts of both labels, {truth.sum()} of its {len(truth)} are "
            f"{labels.positive}: upload more (see Prepare's report)"
        )
    return [record.input for record in records], truth


def _evaluated_texts(arguments: Arguments) -> Iterator[str]:
    """The texts of validation and of every evaluation set, which no example may be close to.

    Raises:
        UploadError: there is no evaluation set.
    """
    sets = [folder for folder in sorted(arguments.evaluation.glob("*")) if folder.is_dir() and part_files(folder)]
    if not sets:
        raise UploadError(
            "--evaluation holds no evaluation set, so examples cannot be kept apart from any: give "
            "Prepare's folder eval"
        )
    for record in chain.from_iterable(map(read_split, (arguments.validation, *sets))):
        yield record.input


def _showable(arguments: Arguments) -> Iterator[Record]:
    """Positive training records that prompts may show: short enough for five of them, without signs of a person."""
    for record in read_split(arguments.train):
        is_short = 0 < len(words_of(record.input)) <= MOST_WORDS
        if record.target == arguments.positive_label and is_short and not suspected_phi(record.input):
            yield record


def _writer(arguments: Arguments, budget: TimeBudget) -> ExampleWriter:
    if arguments.model is not None:
        return CausalWriter.load(arguments.model, arguments.sampling, budget)
    if arguments.model_id is not None:
        return BedrockWriter(arguments.model_id, arguments.sampling)
    return EndpointWriter(str(arguments.endpoint), arguments.sampling)


def _report(arguments: Arguments, written: WrittenExamples, pool: int, first_model: TfidfFloor) -> None:
    report = {
        **written.report(arguments.count),
        "seed": arguments.seed,
        "examples_a_prompt": arguments.examples_a_prompt,
        "shown_from": pool,
        "first_model_threshold": first_model.threshold,
    }
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (arguments.output / REPORT).write_text(text + "\n", encoding="utf-8")
    for warning in report["warnings"]:
        print(f"warning: {warning}", flush=True)


if __name__ == "__main__":
    run_job(Arguments, main)
