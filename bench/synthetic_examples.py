"""How many usable examples of the rare label a small model writes, and how fast.

    python3 -m bench.synthetic_examples                         # invented texts, SmolLM2-135M, 90 seconds
    python3 -m bench.synthetic_examples --file FILE --show 20   # labelled sentences of one's own

FILE is as bench/article_table.py reads it. Prepare divides the texts by article, then the job
(training/generate_examples.py) runs on them with the model of local/packaged_models.py, which is downloaded once. The
report is printed and, with `--show`, some of the texts. Settings that are not given are the job's own defaults.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.adverse_texts import (
    EVALUATION,
    GROUPED,
    NEGATIVE,
    POSITIVE,
    LabelledText,
    divide,
    lay_down,
    read_uploads,
    write_upload,
)
from local.invented.adverse_events import invented_events
from local.packaged_models import language_model
from training.generate_examples import Arguments
from training.generate_examples import main as generate
from training.synthetic_examples import SyntheticExamples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--max-seconds", type=float, default=90.0)
    parser.add_argument("--max-new-tokens", type=int, default=96)
    parser.add_argument("--temperature", type=float, default=Arguments.temperature)
    parser.add_argument("--description", default="tells how a drug harmed a patient who took it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(".local/data"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory(prefix="synthetic-") as name:
        folder = Path(name)
        if given.file:
            lay_down(given.file, folder / "given")
            texts = read_uploads(folder / "given")
        else:
            texts = invented(given.texts, given.seed)
        write_upload(texts[: given.texts], folder / "uploads")
        divide(GROUPED, folder / "uploads", folder, given.seed)
        began = time.monotonic()
        generate(
            Arguments(
                train=folder / "train",
                validation=folder / "validation",
                evaluation=folder / EVALUATION,
                output=folder / "output",
                positive_label=POSITIVE,
                negative_label=NEGATIVE,
                description=given.description,
                provider="model",
                model=language_model(given.cache),
                count=given.count,
                max_seconds=given.max_seconds,
                max_new_tokens=given.max_new_tokens,
                temperature=given.temperature,
                seed=given.seed,
            )
        )
        print(f"{time.monotonic() - began:.0f} s with loading and reading")
        print((folder / "output" / "report.json").read_text(encoding="utf-8"))
        show(list(SyntheticExamples(folder / "output").rows(datetime.now(UTC))), given.show)


def invented(count: int, seed: int) -> list[LabelledText]:
    return [LabelledText(text.text, text.label, text.source) for text in invented_events(count, seed)]


def show(rows: list[dict[str, object]], count: int) -> None:
    """Kept texts first, then dropped ones with the reason."""
    kept, dropped = ([row for row in rows if row["kept"] is side] for side in (True, False))
    for row in kept[:count] + dropped[:count]:
        print(row["reason"] or "kept", f"{row['first_model_probability']:.2f}", row["text"], sep="  ")


if __name__ == "__main__":
    main()
