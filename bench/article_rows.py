"""The rows of the article's table: classifiers that are trained on the same texts and asked the same ones."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.adverse_texts import GROUPED, POSITIVE, RANDOM, Overlap, Sides, overlap, truth_of
from bench.encoder_trainings import Encoder, Trained, Workplace, search, train, write_examples
from bench.score_table import Row, ScoredRow, scored, table_lines
from local.errors import LocalError
from local.packaged_models import language_model
from training.classification_metrics import F1
from training.errors import ArgumentError, GenerationError, ModelError
from training.text_classifier import TextClassifier
from training.tfidf_floor import TfidfFloor

FLOOR = "TF-IDF + logistic regression"
ROLES = ("base encoder", "domain encoder")
_MEANINGS = {
    RANDOM: "every row for itself, as in publications; of the corpus as published 55 % of the positive test rows then "
    "stand in training too, and F1 of .93 is of such a split",
    GROUPED: "no text and no source article on two sides: what may be expected of new texts",
}
# Without it there is one row less, which is no reason to lose the others.
_NOT_HAD = (ArgumentError, ModelError, GenerationError, LocalError)


@dataclass
class Measured:
    """What the command found so far; `left_out` says of each row that is missing why. `path` gets all of it as JSON at
    each change, unless it is None."""

    path: Path | None
    arguments: dict[str, str]
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, what: str) -> None:
        print(f"left out: {what}", flush=True)
        self.left_out.append(what)
        self.save()

    def save(self) -> None:
        if self.path is not None:
            content = {"arguments": self.arguments, "splits": self.splits, "left_out": self.left_out}
            self.path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Newest:
    """The training that the next row goes on from, and what its own row is called."""

    encoder: Encoder
    trained: Trained
    name: str


class Table:
    """One way of dividing the data, and the rows so far.

    Models are trained on the train side of `sides`, which may be fewer texts than that of `whole`.
    """

    def __init__(self, kind: str, whole: Sides, sides: Sides, seed: int, measured: Measured) -> None:
        self.kind = kind
        self.sides = sides
        self.measured = measured
        self._seed = seed
        self._rows: list[ScoredRow] = []
        self._truth = truth_of(sides.test)
        self._overlaps = {
            label: (
                overlap([*whole.train, *whole.validation], sides.test, label),
                overlap(sides.train, sides.test, label),
            )
            for label in (None, POSITIVE)
        }
        self._about: dict[str, Any] = {
            "texts": {
                name: dict(Counter(text.label for text in side))
                for name, side in (("train", sides.train), ("validation", sides.validation), ("test", sides.test))
            },
            "overlap": {
                label or "all": {"not tested on": asdict(rest), "trained on": asdict(trained)}
                for label, (rest, trained) in self._overlaps.items()
            },
        }

    def tell(self) -> None:
        """Print how many texts there are, and how many of the test stand in training."""
        print(f"\n{self.kind.upper()} SPLIT: {_MEANINGS[self.kind]}")
        for side, counts in self._about["texts"].items():
            print(f"  {side}: " + ", ".join(f"{count:,} {label}" for label, count in sorted(counts.items())))
        for label, (rest, trained) in self._overlaps.items():
            print(f"  {overlap_line(label, rest, trained)}")
        if not any(text.article for text in self.sides.test):
            print("  no test text names its article: only equal texts can be kept together")
        print(flush=True)

    def add(self, row: Row, **found: Any) -> None:
        """Score a row, and save what there is; `found` is what else is worth keeping."""
        rows = [*(one.row for one in self._rows), row]
        self._rows = scored(rows, self._truth, self._seed)
        self._about |= found
        self.measured.splits[self.kind] = {**self._about, "rows": [one.as_json(self._truth) for one in self._rows]}
        self.measured.save()
        print(f"  {row.name}: F1 {self._rows[-1].scores[F1].value:.3f}, {row.seconds:.0f} s", flush=True)

    def show(self) -> None:
        self.tell()
        for line in table_lines(self._rows):
            print(line, flush=True)


def overlap_line(label: str | None, rest: Overlap, trained: Overlap) -> str:
    """`rest` is of all texts that are not tested on, `trained` of those that models learn from."""
    return (
        f"of {rest.records:,} test texts ({label or 'all'}) {rest.texts:.1%} stand in the rest of the data too, "
        f"{trained.texts:.1%} among what is trained on (their articles: {rest.articles:.1%}, {trained.articles:.1%})"
    )


def add_rows(table: Table, encoders: Sequence[Encoder], arguments: argparse.Namespace, work: Workplace) -> None:
    """The floor, each encoder, and what is tried with the last of them; what cannot be had is left out and said.

    Raises:
        ModelError: training of an encoder diverged.
    """
    table.add(floor_row(table.sides))
    name = FLOOR
    for role, encoder in zip(ROLES, encoders, strict=False):
        newest = Newest(encoder, train(encoder, table.sides, work), f"{encoder.name} ({role})")
        table.add(encoder_row(newest, name, table.sides))
        name = newest.name
    for what, step in (("search", _searched), ("synthetic examples", _with_examples)):
        try:
            newest = step(table, newest, arguments, work)
        except _NOT_HAD as error:
            table.measured.leave_out(f"{what} ({table.kind} split): {error}")


def _searched(table: Table, newest: Newest, arguments: argparse.Namespace, work: Workplace) -> Newest:
    settings = newest.encoder.task.search
    jobs = arguments.search_jobs
    if jobs is None:
        jobs = settings.jobs if settings is not None else 0
    if not jobs:
        raise ArgumentError("not asked for (--search-jobs)")
    found = search(newest.encoder, table.sides, work, jobs)
    best = Newest(newest.encoder, found.best, f"+ search ({jobs} trainings)")
    table.add(encoder_row(best, newest.name, table.sides), search=found.trials)
    return best


def _with_examples(table: Table, newest: Newest, arguments: argparse.Namespace, work: Workplace) -> Newest:
    if not arguments.synthetic:
        raise ArgumentError("not asked for (--synthetic)")
    generator = arguments.generator or str(language_model(arguments.cache))
    task = newest.encoder.task
    examples, report = write_examples(
        generator, task, table.sides, work, arguments.synthetic, arguments.synthetic_seconds
    )
    trained = train(newest.encoder, table.sides, work, newest.trained.settings, examples)
    best = Newest(newest.encoder, trained, f"+ synthetic examples ({report['kept']:,})")
    table.add(encoder_row(best, newest.name, table.sides), synthetic=report)
    return best


def floor_row(sides: Sides) -> Row:
    """Trained and its threshold chosen as every other row's."""
    began = time.monotonic()
    floor = TfidfFloor([text.text for text in sides.train], truth_of(sides.train))
    floor.choose_threshold([text.text for text in sides.validation], truth_of(sides.validation))
    probabilities = floor.probabilities([text.text for text in sides.test])
    return Row(FLOOR, None, probabilities, floor.threshold, time.monotonic() - began)


def encoder_row(newest: Newest, goes_on_from: str, sides: Sides) -> Row:
    """`seconds` are those of training; threshold and longest input are the model's own."""
    trained = newest.trained
    classifier = TextClassifier.load(trained.directory)
    probabilities = classifier.probabilities(classifier.read([text.text for text in sides.test]))
    threshold = classifier.decision.threshold
    return Row(newest.name, goes_on_from, probabilities, threshold, trained.seconds, trained.settings)
