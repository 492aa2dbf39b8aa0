"""How well the copying model writes the impressions of real reports, and how long that takes.

    python3 -m bench.copying_quality --folder .local/data --part development --seeds 1 2 3
    python3 -m bench.copying_quality --folder .local/data --size hidden=320 --training label_smoothing=0.1

Reads the Open-i reports (local/open_i.py says under which licence). They are split by the MD5 digest of their
normalised findings, modulo 10: 0 is the test part, 1 the development part, on which settings are chosen; development is
left out of training where it is asked about. A twentieth of the training findings is the validation split. Trains
with StageModel's and FineTune's own code, and prints figures only: ROUGE-L in percent with stemming, of all and of the
abnormal reports; the share of abnormal reports answered as normal; the number of different answers; and the difference
to the consensus of similar reports with its 95 % paired bootstrap interval. At last, how long one report takes.
"""

import argparse
import dataclasses
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.utils import logging as transformers_logging

from local.open_i import read_reports
from training import records as uploaded
from training.consensus import consensus
from training.fine_tune import Arguments
from training.fine_tune import main as fine_tune
from training.generation import GenerationParameters, TextGenerator
from training.model_directory import ModelCard, finish_model_directory
from training.records import normalise, record_id
from training.report_text import reads_as_normal
from training.retrieval import SimilarReports
from training.rouge import ROUGE_L, rouge_scores
from training.similar_impressions import find_similar
from training.splits import Record
from training.stand_in import CopyingSize, Denoising, build_model, train_to_denoise, train_tokenizer
from training.statistics import paired_difference

TEST, DEVELOPMENT = 0, 1
PROMPT = "{input}{similar}"
# Reports that are asked about one at a time.
SINGLE = 60
TRAINING: dict[str, Any] = {
    "max_input_tokens": 256,
    "max_target_tokens": 128,
    "epochs": 8.0,
    "train_batch_size": 32,
    "learning_rate": 2e-3,
    "weight_decay": 0.01,
    "warmup_ratio": 0.1,
    "evaluations_per_epoch": 1,
    "log_every_steps": 1000,
    "max_new_tokens": 80,
    "method": "mbr",
    "samples": 32,
    "temperature": 0.8,
}


@dataclasses.dataclass(frozen=True)
class Split:
    """`normal` says for each asked report what the upload's own label says."""

    train: list[Record]
    validation: list[Record]
    asked: list[Record]
    normal: list[bool | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the reports are, or are downloaded to")
    parser.add_argument("--part", choices=("development", "test"), default="development")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--size", nargs="*", default=[], metavar="NAME=VALUE", help="fields of CopyingSize")
    parser.add_argument("--training", nargs="*", default=[], metavar="NAME=VALUE", help="arguments of FineTune")
    parser.add_argument("--denoise-seconds", type=float, default=20.0)
    parser.add_argument("--methods", nargs="+", default=["greedy", "mbr"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for data and models, which are kept: it holds real text")
    parser.add_argument("--answers", type=Path, help="folder for the answers; real text, keep it out of the project")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    transformers_logging.disable_progress_bar()
    split = split_reports(read_reports(arguments.folder), TEST if arguments.part == "test" else DEVELOPMENT)
    print(f"{len(split.train)} train, {len(split.validation)} validation, {len(split.asked)} {arguments.part}")
    size = dataclasses.replace(CopyingSize(), **_values(arguments.size))
    with tempfile.TemporaryDirectory(prefix="copying-quality-") as name:
        folder = arguments.keep or Path(name)
        _write(folder / "train", split.train)
        _write(folder / "validation", split.validation)
        began = time.monotonic()
        SimilarReports.build(split.train).save(folder / "similar")
        reports = SimilarReports.load(folder / "similar")
        found = find_similar(reports, [record.input for record in split.asked])
        floor = [consensus(some) for some in found]
        print(f"similar reports and floors: {time.monotonic() - began:.0f} s")
        score("nearest", split, [some[0].target for some in found], floor)
        score("consensus", split, floor, floor)
        for seed in arguments.seeds:
            began = time.monotonic()
            stage(folder / f"staged-{seed}", split.train, size, arguments.denoise_seconds, seed)
            staged = time.monotonic()
            train(folder, seed, TRAINING | _values(arguments.training))
            print(f"seed {seed}: staged in {staged - began:.0f} s, trained in {time.monotonic() - staged:.0f} s")
            ask(folder / f"model-{seed}", split, floor, arguments.methods, arguments.answers)


def split_reports(reports: Sequence[uploaded.Record], asked: int) -> Split:
    split = Split([], [], [], [])
    for report in reports:
        digest = int(hashlib.md5(normalise(report.input).encode(), usedforsecurity=False).hexdigest(), 16)
        record = Record(record_id(normalise(report.input), normalise(report.target)), report.input, report.target)
        if digest % 10 == asked:
            split.asked.append(record)
            split.normal.append(report.normal)
        elif digest % 10 != TEST:
            (split.validation if digest // 10 % 20 == 0 else split.train).append(record)
    return split


def stage(folder: Path, records: Sequence[Record], size: CopyingSize, seconds: float, seed: int) -> None:
    """What StageModel does with source stand_in, for a model of any size."""
    texts = [text for record in records for text in (record.input, record.target)]
    tokenizer = train_tokenizer(texts, size.vocabulary)
    model = build_model(tokenizer, size, seed)
    if seconds:
        for _ in train_to_denoise(model, tokenizer, texts, Denoising(steps=10**6, seconds=seconds, seed=seed)):
            pass
    print(f"{model.num_parameters() / 1e6:.2f} million parameters, {len(tokenizer)} pieces")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    card = ModelCard(
        source="stand_in", description="bench", stand_in=True, prompt_template=PROMPT, max_input_tokens=256
    )
    finish_model_directory(folder, card)


def train(folder: Path, seed: int, given: dict[str, Any]) -> None:
    fine_tune(
        Arguments(
            train=folder / "train",
            validation=folder / "validation",
            model=folder / f"staged-{seed}",
            similar=folder / "similar",
            model_dir=folder / f"model-{seed}",
            output_data_dir=folder / f"data-{seed}",
            checkpoints=folder / f"checkpoints-{seed}",
            processes=1,
            seed=seed,
            **given,
        )
    )


def ask(directory: Path, split: Split, floor: list[str], methods: Sequence[str], keep: Path | None) -> None:
    generator = TextGenerator.load(directory)
    own = generator.defaults
    plain = GenerationParameters(max_new_tokens=own.max_new_tokens)
    ways = {"greedy": plain, "beams": dataclasses.replace(plain, num_beams=4, method="beams"), "mbr": own}
    questions = generator.questions([record.input for record in split.asked])
    for method in methods:
        began = time.monotonic()
        answers = [some[0] for some in generator.generate(questions, ways[method], batch_size=256)]
        score(f"{method}, {time.monotonic() - began:.0f} s", split, answers, floor)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{directory.name}-{method}.json").write_text(json.dumps(answers), encoding="utf-8")
    time_single(generator, [record.input for record in split.asked[:SINGLE]], own)


def time_single(generator: TextGenerator, texts: Sequence[str], parameters: GenerationParameters) -> None:
    """What one request for one report takes, with the search for similar reports."""
    seconds = []
    for text in texts:
        began = time.perf_counter()
        generator.generate(generator.questions([text]), parameters, batch_size=1)
        seconds.append(time.perf_counter() - began)
    median, late = np.quantile(seconds, (0.5, 0.95))
    print(f"  one report at a time: median {1000 * median:.0f} ms, p95 {1000 * late:.0f} ms")


def score(name: str, split: Split, answers: Sequence[str], floor: Sequence[str]) -> None:
    references = [record.target for record in split.asked]
    scores, floors = (
        100 * rouge_scores(list(zip(some, references, strict=True)))[:, ROUGE_L] for some in (answers, floor)
    )
    abnormal = np.array([normal is False for normal in split.normal])
    wrong = [
        reads_as_normal(answer)
        for answer, reference, counts in zip(answers, references, abnormal, strict=True)
        if counts and not reads_as_normal(reference)
    ]
    differences = " / ".join(
        f"{d.mean:+.1f} [{d.low:+.1f}, {d.high:+.1f}]"
        for d in (paired_difference(scores[s], floors[s], seed=1) for s in (slice(None), abnormal))
    )
    print(
        f"  {name:<14} R-L {scores.mean():.1f} / {scores[abnormal].mean():.1f}; to consensus {differences}; "
        f"abnormal as normal {100 * np.mean(wrong):.1f} %; {len({normalise(answer) for answer in answers})} different",
        flush=True,
    )


def _values(given: Sequence[str]) -> dict[str, Any]:
    pairs = (each.partition("=") for each in given)
    return {name: json.loads(value) for name, _, value in pairs}


def _write(folder: Path, records: Sequence[Record]) -> None:
    folder.mkdir(parents=True)
    lines: Iterator[str] = (json.dumps(dataclasses.asdict(record), ensure_ascii=False) + "\n" for record in records)
    (folder / "part-00000.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
