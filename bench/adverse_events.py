"""How well texts that report an adverse event are found, on real sentences: fine-tuned encoder and TF-IDF floor.

    python3 -m bench.adverse_events FILE --sentences 4000 --epochs 2

FILE has one JSON object a line: {"text", "label": "Adverse_Event" | "Not_AE", "id": source article}. For each kind of
split (training/grouped_split.py) it prints how much of the test stands in training, and the scores of both models. They
are trained on the same `--sentences` of the training side, choose their thresholds on the same validation part of it,
and are tested on the same texts. All settings are the job script's own defaults but those given here.

The encoder is all-MiniLM-L6-v2 (Apache-2.0), downloaded once from the package index into `--cache`. With `--part
development` the test side is left alone and a fifth of the training side is tested on: for choosing settings.
"""

import argparse
import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from local.packaged_models import ENCODER
from local.packaged_models import encoder as encoder_files
from training.classification_metrics import (
    LOWER_IS_BETTER,
    METRICS,
    confusion,
    paired_differences,
    score,
)
from training.fine_tune_classifier import Arguments
from training.fine_tune_classifier import main as fine_tune
from training.grouped_split import LabelledText, Split, grouped_split, overlap, random_split
from training.labels import Decision
from training.model_directory import ModelCard, finish_model_directory
from training.records import normalise, record_id
from training.splits import Record
from training.statistics import BoolArray, FloatArray
from training.text_classifier import TextClassifier
from training.tfidf_floor import TfidfFloor

POSITIVE, NEGATIVE = "Adverse_Event", "Not_AE"
TEST_FRACTION, VALIDATION_FRACTION = 0.2, 0.1
SPLITS = {"random": random_split, "grouped": grouped_split}


@dataclasses.dataclass(frozen=True)
class Parts:
    """What is trained on, chosen by, and tested on."""

    train: list[LabelledText]
    validation: list[LabelledText]
    test: list[LabelledText]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--part", choices=("development", "test"), default="test")
    parser.add_argument("--sentences", type=int, default=4_000)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--class-weight", default="none")
    parser.add_argument("--loss", default="cross_entropy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(".local/data"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    records = read(arguments.file)
    with tempfile.TemporaryDirectory(prefix="adverse-events-") as folder:
        encoder = encoder_directory(arguments.cache, Path(folder) / "encoder")
        for name in arguments.splits:
            print(f"\n{name} split")
            parts = divide(records, name, arguments)
            compare(parts, encoder, Path(folder) / name, arguments)


def read(path: Path) -> list[LabelledText]:
    with path.open(encoding="utf-8") as lines:
        return [LabelledText(row["text"], row["label"], str(row["id"])) for row in map(json.loads, lines)]


def divide(records: list[LabelledText], name: str, arguments: argparse.Namespace) -> Parts:
    """Split, say what the split leaks, and draw the sentences to train on by their hash."""
    split_of = SPLITS[name]
    split = split_of(records, test_fraction=TEST_FRACTION, seed=arguments.seed)
    if arguments.part == "development":
        records = [records[place] for place in split.train]
        split = split_of(records, test_fraction=TEST_FRACTION, seed=arguments.seed)
    tell(records, split)
    rest = [records[place] for place in split.train]
    inner = split_of(rest, test_fraction=VALIDATION_FRACTION, seed=arguments.seed)
    train = sorted((rest[place] for place in inner.train), key=lambda record: record_id(record.text, record.label))
    return Parts(
        train[: arguments.sentences],
        [rest[place] for place in inner.test],
        [records[place] for place in split.test],
    )


def tell(records: Sequence[LabelledText], split: Split) -> None:
    for side, counts in split.counts.items():
        print(f"  {side}: " + ", ".join(f"{count:,} {label}" for label, count in sorted(counts.items())))
    for label in (None, POSITIVE):
        found = overlap(records, split, label)
        print(
            f"  of {found.records:,} test texts ({label or 'all'}) {found.texts:.1%} stand in training too, "
            f"{found.articles:.1%} have their article there"
        )


def compare(parts: Parts, encoder: Path, folder: Path, arguments: argparse.Namespace) -> None:
    truth = truth_of(parts.test)
    texts = [record.text for record in parts.test]
    began = time.monotonic()
    floor = TfidfFloor([record.text for record in parts.train], truth_of(parts.train))
    floor.choose_threshold([record.text for record in parts.validation], truth_of(parts.validation))
    low = floor.probabilities(texts), floor.threshold
    print(f"  trained on {len(parts.train):,}, thresholds by {len(parts.validation):,}", flush=True)
    show("TF-IDF + logistic regression", truth, low, time.monotonic() - began, arguments.seed)
    began = time.monotonic()
    classifier = train_encoder(parts, encoder, folder, arguments)
    readings = classifier.read(texts)
    high = classifier.probabilities(readings), classifier.decision.threshold
    show("MiniLM, fine-tuned", truth, high, time.monotonic() - began, arguments.seed)
    print(f"    {sum(reading.long for reading in readings)} test texts were longer than it reads at once")
    print("  fine-tuned minus TF-IDF")
    for name, difference in paired_differences(truth, high, low, arguments.seed).items():
        better = " (lower is better)" if name in LOWER_IS_BETTER else ""
        print(f"    {name:<18} {difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]{better}")


def show(name: str, truth: BoolArray, answers: tuple[FloatArray, float], seconds: float, seed: int) -> None:
    print(f"  {name}, {seconds:.0f} s; threshold {answers[1]:.3f}; {confusion(truth, *answers)}")
    found = score(truth, *answers, seed)
    for metric in METRICS:
        one = found[metric]
        print(f"    {metric:<18} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]", flush=True)


def train_encoder(parts: Parts, encoder: Path, folder: Path, arguments: argparse.Namespace) -> TextClassifier:
    write(folder / "train", parts.train)
    write(folder / "validation", parts.validation)
    fine_tune(
        Arguments(
            train=folder / "train",
            validation=folder / "validation",
            model=encoder,
            model_dir=folder / "model",
            output_data_dir=folder / "data",
            checkpoints=folder / "checkpoints",
            positive_label=POSITIVE,
            negative_label=NEGATIVE,
            epochs=arguments.epochs,
            learning_rate=arguments.learning_rate,
            class_weight=arguments.class_weight,
            loss=arguments.loss,
            log_every_steps=100,
            processes=1,
            seed=arguments.seed,
        )
    )
    return TextClassifier.load(folder / "model")


def write(folder: Path, records: Sequence[LabelledText]) -> None:
    folder.mkdir(parents=True)
    lines = (
        Record(id=record_id(normalise(record.text), record.label), input=record.text, target=record.label)
        for record in records
    )
    content = "".join(json.dumps(dataclasses.asdict(line), ensure_ascii=False) + "\n" for line in lines)
    (folder / "part-00000.jsonl").write_text(content, encoding="utf-8")


def truth_of(records: Sequence[LabelledText]) -> BoolArray:
    return np.array([record.label == POSITIVE for record in records])


def encoder_directory(cache: Path, output: Path) -> Path:
    """A model directory of the encoder in `output`; its files are downloaded to `cache` if they are not there."""
    shutil.copytree(encoder_files(cache), output)
    card = ModelCard(
        source="s3",
        description=f"all-MiniLM-L6-v2, as in the package {ENCODER.requirement}",
        stand_in=True,
        prompt_template="{input}",
        max_input_tokens=512,
        decision=Decision(positive=POSITIVE, negative=NEGATIVE),
    )
    finish_model_directory(output, card)
    return output


if __name__ == "__main__":
    main()
