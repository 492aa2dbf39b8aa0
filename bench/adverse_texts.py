"""Labelled texts from a file, and the two ways in which they are divided into what is trained on and what is tested on.

- grouped: by Prepare itself (training/prepare.py), as the pipeline does it. A sentence counts once, and no text and no
  source article is on two sides. What a model scores there may be expected of it on text that it has never met.
- random: every row for itself, copies included, as most publications on this data divide it. A sentence that stands in
  the data several times is then trained on and tested, and so are sentences of one article: the scores are higher, and
  say less.

Both hold back the same shares of each label, and write them as Prepare does. Which side a row comes to is decided by
hashes of seed and content, so the order of the rows changes nothing.

Files are read by Prepare's own readers, so whatever can be uploaded can be given. In JSON lines a field `id` is taken
as the source article where no other field names one; ids that are all different tie nothing together.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import UnreadableFileError, UploadError
from training.labels import Labels
from training.part_files import PartFiles
from training.prepare import Arguments, main
from training.readers import read_upload
from training.readers.fields import PATIENT_FIELDS, field_pairs
from training.readers.upload import Upload
from training.record_store import json_line
from training.records import Record, normalise, record_id
from training.splits import part_files
from training.splitting import HOLDOUT, TRAIN, VALIDATION
from training.statistics import BoolArray
from training.uploaded_files import uploaded_files

POSITIVE, NEGATIVE = "Adverse_Event", "Not_AE"
INPUT, TARGET = "text", "label"
RANDOM, GROUPED = KINDS = "random", "grouped"
# Shares of all records; the rest is trained on.
TEST_FRACTION, VALIDATION_FRACTION = 0.2, 0.1
EVALUATION = "eval"
_LABELS = Labels(POSITIVE, NEGATIVE)
_JSON_LINES = (".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, its label, and the article that it is from (None where that is not known)."""

    text: str
    label: str
    article: str | None = None


@dataclass(frozen=True)
class Sides:
    """A division on disk, as Prepare writes one: `train/`, `validation/` and `eval/holdout/` in `folder`."""

    folder: Path
    train: list[LabelledText]
    validation: list[LabelledText]
    test: list[LabelledText]

    @classmethod
    def read(cls, folder: Path) -> "Sides":
        return cls(folder, *(read_side(folder / side) for side in (TRAIN, VALIDATION, f"{EVALUATION}/{HOLDOUT}")))

    def with_fewer(self, sentences: int, folder: Path) -> "Sides":
        """The same with at most so many texts to train on, in `folder`: the first ones, since ids, which are hashes,
        order them."""
        lines = (
            line for part in part_files(self.folder / TRAIN) for line in part.read_bytes().splitlines(keepends=True)
        )
        write_lines(folder / TRAIN, islice(lines, sentences))
        for side in (VALIDATION, EVALUATION):
            shutil.copytree(self.folder / side, folder / side)
        return Sides.read(folder)


@dataclass(frozen=True)
class Overlap:
    """How much of the test stands in training, as shares of its `records`."""

    records: int
    texts: float
    articles: float


def lay_down(file: Path, uploads: Path) -> None:
    """Put a file, or every file of a folder, where Prepare looks for training data.

    Raises:
        UploadError: there is no such file.
    """
    if not file.exists():
        raise UploadError(f"{file}: there is no such file or folder")
    for path in sorted(file.rglob("*")) if file.is_dir() else [file]:
        if path.is_file():
            target = uploads / TRAIN / (path.relative_to(file) if file.is_dir() else path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in _JSON_LINES:
                target.write_bytes(b"".join(map(_with_article, path.read_bytes().splitlines(keepends=True))))
            else:
                shutil.copyfile(path, target)


def write_upload(texts: Iterable[LabelledText], uploads: Path) -> None:
    """Write texts as training data for Prepare."""
    rows = ({INPUT: text.text, TARGET: text.label, "article": text.article} for text in texts)
    write_lines(uploads / TRAIN, map(json_line, rows))


def read_uploads(uploads: Path) -> list[LabelledText]:
    """Every row that Prepare would take, copies included.

    Raises:
        UploadError: there is none.
    """
    texts = []
    for uploaded in uploaded_files(uploads, []):
        name = uploaded.path.relative_to(uploads).as_posix()
        upload = Upload(uploaded.path, name, field_pairs(INPUT, TARGET), labels=_LABELS)
        try:
            items = list(read_upload(upload))
        except UnreadableFileError as error:
            print(f"left out: {error}", flush=True)
            continue
        found = [LabelledText(item.input, item.target, item.patient) for item in items if isinstance(item, Record)]
        print(f"{upload.name}: {len(found):,} rows, {len(items) - len(found):,} that are none", flush=True)
        texts += found
    if not texts:
        raise UploadError(f"no file holds a row with {INPUT} and {TARGET} ({_LABELS})")
    return texts


def divide(kind: str, uploads: Path, folder: Path, seed: int) -> Sides:
    """Divide in one of KINDS, into `folder`.

    Raises:
        UploadError: a label is missing or too rare, or the files cannot be used.
    """
    if kind == GROUPED:
        with redirect_stdout(StringIO()):
            main(_prepare_arguments(uploads, folder, seed))
        report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
        # That a test side was set aside is what it is there for.
        for warning in (warning for warning in report["warnings"] if HOLDOUT not in warning):
            print(f"  Prepare warns: {warning}", flush=True)
    else:
        _divide_at_random(read_uploads(uploads), folder, seed)
    return Sides.read(folder)


def overlap(train: Iterable[LabelledText], test: Iterable[LabelledText], label: str | None = None) -> Overlap:
    """Which share of the test texts (of one label, if given) has its text, or its article, in training too."""
    train = list(train)
    texts = {normalise(text.text) for text in train}
    articles = {normalise(text.article) for text in train if text.article is not None}
    asked = [text for text in test if label is None or text.label == label]
    if not asked:
        return Overlap(0, 0.0, 0.0)
    return Overlap(
        len(asked),
        sum(normalise(text.text) in texts for text in asked) / len(asked),
        sum(text.article is not None and normalise(text.article) in articles for text in asked) / len(asked),
    )


def truth_of(texts: Sequence[LabelledText]) -> BoolArray:
    return np.array([text.label == POSITIVE for text in texts], dtype=bool)


def read_side(folder: Path) -> list[LabelledText]:
    rows = [json.loads(line) for part in part_files(folder) for line in part.read_bytes().splitlines()]
    return [LabelledText(row["input"], row["target"], row["patient"]) for row in rows]


def write_lines(folder: Path, lines: Iterable[bytes]) -> None:
    with PartFiles(folder) as parts:
        for line in lines:
            parts.write(line)


def _with_article(line: bytes) -> bytes:
    """The line with its `id` as `article`; what is no JSON object is left to the reader."""
    try:
        row = json.loads(line)
    except ValueError:
        return line
    if not isinstance(row, dict) or "id" not in row or any(row.get(name) for name in PATIENT_FIELDS):
        return line
    return json_line({**row, "article": row["id"]})


def _prepare_arguments(uploads: Path, output: Path, seed: int) -> Arguments:
    return Arguments(
        uploads=uploads,
        output=output,
        input_field=INPUT,
        target_field=TARGET,
        positive_label=POSITIVE,
        negative_label=NEGATIVE,
        validation_fraction=VALIDATION_FRACTION,
        holdout_fraction=TEST_FRACTION,
        seed=seed,
    )


def _divide_at_random(texts: Sequence[LabelledText], folder: Path, seed: int) -> None:
    """Of each label the first rows by hash are tested on, the next ones are for validation."""
    sides: dict[str, list[dict[str, Any]]] = {TRAIN: [], VALIDATION: [], f"{EVALUATION}/{HOLDOUT}": []}
    rows = _rows(texts)
    for label in (POSITIVE, NEGATIVE):
        of_label = [row for row in rows if row["target"] == label]
        if len(of_label) < len(sides):
            raise UploadError(f"{len(of_label)} rows are labelled {label}: each of {len(sides)} sides needs one")
        of_label.sort(key=lambda row: hashlib.sha256(f"{seed}:{row['id']}".encode()).digest())
        tested, validated = (max(1, round(share * len(of_label))) for share in (TEST_FRACTION, VALIDATION_FRACTION))
        sides[f"{EVALUATION}/{HOLDOUT}"] += of_label[:tested]
        sides[VALIDATION] += of_label[tested : tested + validated]
        sides[TRAIN] += of_label[tested + validated :]
    for side, of_side in sides.items():
        write_lines(folder / side, map(json_line, sorted(of_side, key=lambda row: str(row["id"]))))


def _rows(texts: Sequence[LabelledText]) -> list[dict[str, Any]]:
    """Records as Prepare writes them, each with an id of its own: equal ones must not all go the same way."""
    copies: Counter[tuple[str, str]] = Counter()
    rows = []
    for text in sorted(texts, key=lambda text: (normalise(text.text), text.label, text.article or "")):
        pair = normalise(text.text), normalise(text.label)
        number = copies[pair]
        copies[pair] += 1
        identity = record_id(pair[0], f"{pair[1]} {number}" if number else pair[1])
        rows.append({"id": identity, "input": text.text, "target": text.label, "patient": text.article, "normal": None})
    return rows
