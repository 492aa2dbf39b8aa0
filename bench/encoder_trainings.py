"""Encoders that are fine-tuned as a task file says: once, by a search, or with texts that a model wrote.

Everything is the pipeline's own: StageModel brings an encoder, the task file's settings for a stage train it, the local
AWS's optimiser suggests what a search tries, GenerateExamples writes texts. What these print goes into a file.
"""

import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.adverse_texts import EVALUATION, NEGATIVE, POSITIVE, Sides
from local.emulator.pipelines.suggestions import Suggestions
from stacks.config.classification import ClassificationTask
from stacks.config.files import TASKS_FOLDER, load_task
from stacks.config.search import Search
from training import fine_tune_classifier, generate_examples, stage_model
from training.errors import ArgumentError, GenerationError, ModelError
from training.example_writers import BEDROCK, ENDPOINT, MODEL
from training.generate_examples import SYNTHETIC
from training.model_directory import read_model_card
from training.splitting import TRAIN, VALIDATION
from training.synthetic_examples import SyntheticExamples

TASK_FILE = TASKS_FOLDER / "adverse_events.yaml"
# A generator that is no path: `bedrock:MODEL_ID`, `endpoint:NAME`.
_REMOTE = {BEDROCK: "model_id", ENDPOINT: "endpoint"}


@dataclass(frozen=True)
class Encoder:
    """A staged encoder, and the task with the settings to train it by."""

    name: str
    directory: Path
    task: ClassificationTask


@dataclass(frozen=True)
class Trained:
    """A fine-tuned model directory; `settings` are what it was trained by, `f1` is of the validation texts."""

    directory: Path
    settings: dict[str, Any]
    f1: float
    seconds: float


@dataclass(frozen=True)
class Searched:
    """The best training of a search, and each one's settings with its F1 on the validation texts (None: it failed)."""

    best: Trained
    trials: list[dict[str, Any]]


@dataclass
class Workplace:
    """Where models lie, each in a folder of its own. `log` takes what jobs print."""

    folder: Path
    log: Path
    seed: int
    _folders: int = field(default=0, init=False)

    def next_folder(self) -> Path:
        self._folders += 1
        return self.folder / f"model-{self._folders:03d}"

    @contextmanager
    def logged(self) -> Iterator[None]:
        with self.log.open("a", encoding="utf-8") as log, redirect_stdout(log):
            yield


def task_of(stage: str, **changes: Any) -> ClassificationTask:
    """The task of adverse events as it runs in a stage, with `changes` (None: as it is) of its training.

    Raises:
        ConfigurationError: the task file cannot be used.
    """
    task = load_task(TASK_FILE, stage)
    assert isinstance(task, ClassificationTask)
    given = {name: value for name, value in changes.items() if value is not None}
    return task.model_copy(update={"training": task.training.model_copy(update=given)})


def stage_encoder(given: str, name: str, task: ClassificationTask, work: Workplace) -> Encoder:
    """Stage a folder (or an archive) with an encoder, or a model of the Hugging Face hub.

    Raises:
        ModelError: it cannot be had, or is no usable encoder.
    """
    output = work.next_folder() / "encoder"
    source = (
        {"source": stage_model.S3, "model": Path(given)}
        if Path(given).exists()
        else {"source": stage_model.HUGGING_FACE, "model_id": given}
    )
    with work.logged():
        stage_model.main(
            stage_model.Arguments(
                **source,
                output=output,
                positive_label=POSITIVE,
                negative_label=NEGATIVE,
                max_input_tokens=task.longest_sequence,
            )
        )
    return Encoder(name, output, task)


def train(
    encoder: Encoder,
    sides: Sides,
    work: Workplace,
    tried: Mapping[str, Any] | None = None,
    synthetic: Path | None = None,
) -> Trained:
    """Fine-tune by the task's settings, of which `tried` replaces some, on `synthetic` texts too.

    Raises:
        ModelError: training diverged.
    """
    folder = work.next_folder()
    settings = encoder.task.training.model_dump() | dict(tried or {}) | {"seed": work.seed}
    began = time.monotonic()
    # Optimiser states of a large encoder are gigabytes: they go with the training.
    with tempfile.TemporaryDirectory(prefix="checkpoints-", dir=work.folder) as checkpoints, work.logged():
        fine_tune_classifier.main(
            fine_tune_classifier.Arguments(
                **settings,
                train=sides.folder / TRAIN,
                validation=sides.folder / VALIDATION,
                synthetic=synthetic,
                model=encoder.directory,
                model_dir=folder / "model",
                output_data_dir=folder / "data",
                checkpoints=Path(checkpoints),
                positive_label=POSITIVE,
                negative_label=NEGATIVE,
                processes=1,
            )
        )
    card = read_model_card(folder / "model")
    assert card.training is not None  # it was just trained
    return Trained(folder / "model", settings, card.training["validation"]["f1"], time.monotonic() - began)


def search(encoder: Encoder, sides: Sides, work: Workplace, jobs: int) -> Searched:
    """Train `jobs` times, each time with what the local AWS's tuning job would try next; none is stopped early.

    Raises:
        ModelError: no training ended well.
        ArgumentError: the task has no section `search`.
    """
    if encoder.task.search is None:
        raise ArgumentError(f"{TASK_FILE.name} has no section search")
    suggestions = Suggestions(ranges_of(encoder.task.search), jobs=jobs, maximise=True, seed=work.seed)
    best: Trained | None = None
    trials = []
    for _ in range(jobs):
        number, texts = suggestions.ask()
        tried = {name: json.loads(text) for name, text in texts.items()}
        try:
            trained = train(encoder, sides, work, tried)
        except ModelError as error:
            suggestions.tell(number, [], completed=False)
            trials.append({**tried, "f1": None, "failure": str(error)})
        else:
            suggestions.tell(number, [trained.f1], completed=True)
            trials.append({**tried, "f1": trained.f1, "seconds": trained.seconds})
            best, worse = (trained, best) if best is None or trained.f1 > best.f1 else (best, trained)
            if worse is not None:
                shutil.rmtree(worse.directory)
        print(f"    search, {number + 1} of {jobs}: {trials[-1]}", flush=True)
    if best is None:
        raise ModelError(f"none of {jobs} trainings of the search ended well: {trials[0]['failure']}")
    return Searched(dataclasses.replace(best, seconds=sum(trial.get("seconds", 0.0) for trial in trials)), trials)


def ranges_of(settings: Search) -> dict[str, Any]:
    """What is searched, as SageMaker's ParameterRanges; the encoder is the one that is given."""
    low, high = settings.learning_rate
    rate = {"Name": "learning_rate", "MinValue": str(low), "MaxValue": str(high), "ScalingType": "Logarithmic"}
    choices = [
        {"Name": name, "Values": list(map(str, getattr(settings, name)))}
        for name in ("max_seq_length", "train_batch_size")
    ]
    return {"ContinuousParameterRanges": [rate], "CategoricalParameterRanges": choices}


def write_examples(
    generator: str, task: ClassificationTask, sides: Sides, work: Workplace, count: int, seconds: float
) -> tuple[Path, dict[str, Any]]:
    """Let `generator` (a path, `bedrock:MODEL_ID` or `endpoint:NAME`) write texts; where they lie, and the report.

    Raises:
        ModelError, GenerationError: it cannot be loaded or asked, or nothing that it wrote could be kept.
        ArgumentError: the task has no section `synthetic`.
    """
    if task.synthetic is None:
        raise ArgumentError(f"{TASK_FILE.name} has no section synthetic")
    output = sides.folder / "examples"
    with work.logged():
        generate_examples.main(
            generate_examples.Arguments(
                **provider_of(generator),
                train=sides.folder / TRAIN,
                validation=sides.folder / VALIDATION,
                evaluation=sides.folder / EVALUATION,
                output=output,
                positive_label=POSITIVE,
                negative_label=NEGATIVE,
                description=task.synthetic.description,
                count=count,
                max_seconds=seconds,
                examples_a_prompt=task.synthetic.examples_a_prompt,
                max_new_tokens=task.synthetic.max_new_tokens,
                temperature=task.synthetic.temperature,
                seed=work.seed,
            )
        )
    report = SyntheticExamples(output).report
    if not report["kept"]:
        raise GenerationError(f"no text that the generator wrote could be kept: {report['dropped']}")
    return output / SYNTHETIC, report


def provider_of(generator: str) -> dict[str, Any]:
    """Which of GenerateExamples' providers is meant, as its arguments."""
    provider, _, name = generator.partition(":")
    if provider in _REMOTE and name:
        return {"provider": provider, _REMOTE[provider]: name}
    return {"provider": MODEL, "model": Path(generator)}
