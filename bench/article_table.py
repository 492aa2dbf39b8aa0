"""The published comparison of classifiers of adverse events: base encoder, domain encoder, + search, + synthetic texts.

    python3 -m bench.article_table FILE --domain-encoder monologg/biobert_v1.1_pubmed
    python3 -m bench.article_table FILE --sentences 4000 --epochs 2 --search-jobs 3 --synthetic 300 --json table.json

FILE is whatever Prepare reads: the ADE corpus as published (a folder with DRUG-AE.rel and ADE-NEG.txt), the Parquet
file of the Hugging Face hub (which names no articles), JSON lines with `text`, `label` and `article` (or `id`). None of
it is part of this project. Each row has precision, recall, F1, average precision and AUROC with 95 % bootstrap
intervals. The first is the floor, TF-IDF of words and characters with logistic regression: it is trained on the same
texts as the others and asked the same ones, and all thresholds are chosen on the same validation texts.

The table comes twice, by the two ways of dividing the data that bench/adverse_texts.py describes: at random, as
published figures are, and grouped by source article. How many of the test texts stand in training too is printed above
each. In the corpus as published a random split has 55 % of the positive ones there; published F1 of .93 is of such one.

Encoders are folders (or archives) or ids of the Hugging Face hub. The base encoder is all-MiniLM-L6-v2 unless one is
given; it is trained as tasks/adverse_events.yaml says for `--base-stage`, the domain encoder as for `--domain-stage`.
Search (`--search-jobs`, of the task file's `search`) and synthetic texts (`--synthetic`, by `--generator`: a path,
bedrock:MODEL_ID or endpoint:NAME; otherwise SmolLM2-135M) go on from the domain encoder, or from the base encoder where
there is none. A row that cannot be had is left out, and the end of the output says so. With `--part development` the
test side is left alone and a fifth of the rest is tested on: for choosing settings.

`--json` is written anew after each row, so what was measured stays when the command is stopped.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.adverse_texts import KINDS, Sides, divide, lay_down, write_upload
from bench.article_rows import Measured, Table, add_rows
from bench.encoder_trainings import Encoder, Workplace, stage_encoder, task_of
from local.errors import LocalError
from local.packaged_models import encoder as packaged_encoder
from stacks.errors import ConfigurationError
from training.errors import ModelError, ReportTuningError

PACKAGED_ENCODER = "all-MiniLM-L6-v2"
DEVELOPMENT, TEST = PARTS = "development", "test"


def arguments_of(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--splits", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--part", choices=PARTS, default=TEST)
    parser.add_argument("--base-encoder")
    parser.add_argument("--base-stage", default="local")
    parser.add_argument("--domain-encoder")
    parser.add_argument("--domain-stage", default="dev")
    parser.add_argument(
        "--search-jobs", type=int, help="trainings of the search, if not as in the task file; 0: no row"
    )
    parser.add_argument("--synthetic", type=int, default=500, help="texts that are to be written; 0: no row")
    parser.add_argument("--synthetic-seconds", type=float, default=600.0, help="time to write them; 0: no limit")
    parser.add_argument("--generator")
    parser.add_argument("--sentences", type=int, help="texts to train on, if not all")
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--learning-rate", type=float, help="of trainings outside of the search")
    parser.add_argument("--class-weight", choices=("none", "balanced"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(".local/data"))
    parser.add_argument("--log", type=Path, default=Path(".local/article-table.log"), help="takes what jobs print")
    parser.add_argument("--json", type=Path)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = arguments_of(argv)
    torch.set_num_threads(arguments.threads)
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    measured = Measured(arguments.json, {name: str(value) for name, value in vars(arguments).items()})
    with tempfile.TemporaryDirectory(prefix="article-table-") as folder:
        work = Workplace(Path(folder), arguments.log, arguments.seed)
        try:
            measure(arguments, work, measured)
        except (ReportTuningError, ConfigurationError, LocalError) as error:
            sys.exit(f"{type(error).__name__}: {error}")


def measure(arguments: argparse.Namespace, work: Workplace, measured: Measured) -> None:
    """Fill every table, then show them.

    Raises:
        UploadError: the file cannot be used.
        ModelError, LocalError: the base encoder cannot be had.
        ConfigurationError: the task file cannot be used.
    """
    uploads = work.folder / "uploads"
    lay_down(arguments.file, uploads)
    encoders = encoders_of(arguments, work, measured)
    tables = []
    for kind in arguments.splits:
        whole = divided(arguments, kind, uploads, work)
        fewer = whole.with_fewer(arguments.sentences or len(whole.train), work.folder / f"{kind}-fewer")
        table = Table(kind, whole, fewer, arguments.seed, measured)
        table.tell()
        add_rows(table, encoders, arguments, work)
        tables.append(table)
    for table in tables:
        table.show()
    for reason in measured.left_out:
        print(f"Left out: {reason}")


def encoders_of(arguments: argparse.Namespace, work: Workplace, measured: Measured) -> list[Encoder]:
    """The base encoder, and the domain encoder where there is one that can be had."""
    changes = {name: getattr(arguments, name) for name in ("epochs", "learning_rate", "class_weight")}
    base, domain = (task_of(stage, **changes) for stage in (arguments.base_stage, arguments.domain_stage))
    given = arguments.base_encoder or str(packaged_encoder(arguments.cache))
    name = name_of(arguments.base_encoder or PACKAGED_ENCODER)
    encoders = [stage_encoder(given, name, base, work)]
    rest = "what follows goes on from the base encoder"
    if arguments.domain_encoder is None:
        measured.leave_out(f"the domain encoder: none was given (--domain-encoder); {rest}")
        return encoders
    try:
        encoders.append(stage_encoder(arguments.domain_encoder, name_of(arguments.domain_encoder), domain, work))
    except ModelError as error:
        measured.leave_out(f"the domain encoder {arguments.domain_encoder}: {error}; {rest}")
    return encoders


def name_of(given: str) -> str:
    """Of a folder its own name, of a model of the hub the whole id."""
    return Path(given).resolve().name if Path(given).exists() else given


def divided(arguments: argparse.Namespace, kind: str, uploads: Path, work: Workplace) -> Sides:
    sides = divide(kind, uploads, work.folder / kind, arguments.seed)
    if arguments.part == TEST:
        return sides
    rest = work.folder / f"{kind}-rest"
    write_upload([*sides.train, *sides.validation], rest)
    return divide(kind, rest, work.folder / f"{kind}-development", arguments.seed)


if __name__ == "__main__":
    main()
