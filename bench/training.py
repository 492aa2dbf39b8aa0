"""How fast the stand-in trains and answers on this machine, on generated reports.

    python3 -m bench.training --records 1000 --steps 40 --threads 2

Builds the stand-in's tokenizer and model on made-up reports of about the length of radiology findings (60 words) and
impressions (12 words), then times optimiser steps as FineTune takes them, and greedy answers one at a time and in
batches. Nothing but temporary files is written.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.generation import GenerationParameters, TextGenerator
from training.model_directory import ModelCard
from training.splits import Record
from training.stand_in import CopyingSize, build_model, train_tokenizer
from training.summary_tuner import TokenMeanLoss
from training.token_store import IGNORED, LengthGroupedSampler, PairCollator, TokenStore, build_token_store

WORDS = 3_000
ANSWER_TOKENS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    records = list(made_up_records(arguments.records))
    tokenizer = train_tokenizer(
        [text for record in records for text in (record.input, record.target)], CopyingSize.vocabulary
    )
    model = build_model(tokenizer, CopyingSize(), seed=1)
    print(f"{model.num_parameters():,} parameters, {arguments.threads} threads, PyTorch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        store = build_token_store(
            records,
            tokenizer,
            Path(folder) / "tokens",
            prompt_template="{input}",
            max_input_tokens=512,
            max_target_tokens=128,
        )
        print(f"tokenising: {arguments.records / (time.perf_counter() - began):,.0f} records/s")
        time_training(model, tokenizer, store, arguments.steps, arguments.batch_size)
    time_answers(model, tokenizer, [record.input for record in records[:64]])


def made_up_records(count: int) -> Iterator[Record]:
    """Words drawn by Zipf's law, lengths by a log-normal, as in real reports."""
    random = np.random.default_rng(1)
    words = ["".join(random.choice(list("aeioubcdlmnrst"), random.integers(2, 10))) for _ in range(WORDS)]
    shares = 1 / np.arange(1, WORDS + 1)
    shares /= shares.sum()

    def text(mean_words: float) -> str:
        length = max(3, int(random.lognormal(np.log(mean_words), 0.5)))
        return " ".join(random.choice(words, length, p=shares)) + "."

    for number in range(count):
        yield Record(id=f"{number:016x}", input=text(60), target=text(12))


def time_training(model: Any, tokenizer: Any, store: TokenStore, steps: int, batch_size: int) -> None:
    """Forward, backward and AdamW; the first steps, which allocate, are not counted."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    collator, loss_of = PairCollator(tokenizer, model), TokenMeanLoss(0.0)
    order = list(LengthGroupedSampler(store, batch_size, seed=1))
    model.train()
    tokens = computed = 0
    seconds = 0.0
    for step in range(-3, steps):
        start = (step + 3) * batch_size % (len(order) - batch_size)
        items = [store[index] for index in order[start : start + batch_size]]
        began = time.perf_counter()
        batch = collator(items)
        labels = batch.pop("labels")
        loss: Any = loss_of(model(**batch), labels, (labels != IGNORED).sum())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step >= 0:
            seconds += time.perf_counter() - began
            tokens += sum(len(item["input_ids"]) + len(item["labels"]) for item in items)
            computed += batch["input_ids"].numel() + labels.numel()
    print(
        f"training: {tokens / seconds:,.0f} tokens/s, {steps / seconds:.1f} steps/s of {batch_size} records, "
        f"{1 - tokens / computed:.0%} padding"
    )


def time_answers(model: Any, tokenizer: Any, texts: list[str]) -> None:
    """Seconds an answer of `ANSWER_TOKENS` tokens, for one text a request and for all in one."""
    card = ModelCard(
        source="stand_in", description="bench", stand_in=True, prompt_template="{input}", max_input_tokens=512
    )
    # An untrained model may end early or never: both would time something else.
    model.generation_config.eos_token_id = None
    generator = TextGenerator(model.eval(), tokenizer, card)
    parameters = GenerationParameters(max_new_tokens=ANSWER_TOKENS)
    prompts = generator.questions(texts)
    generator.generate(prompts[:1], parameters, 1)
    single = []
    for prompt in prompts[:16]:
        began = time.perf_counter()
        generator.generate([prompt], parameters, 1)
        single.append(time.perf_counter() - began)
    print(
        f"one text a request: median {1000 * statistics.median(single):.0f} ms, "
        f"slowest of {len(single)} {1000 * max(single):.0f} ms"
    )
    for batch_size in (8, 32, 64):
        began = time.perf_counter()
        generator.generate(prompts, parameters, batch_size)
        seconds = (time.perf_counter() - began) / len(prompts)
        faster = statistics.mean(single) / seconds
        print(f"batches of {batch_size}: {1000 * seconds:.1f} ms a text, {faster:.1f} times as fast")


if __name__ == "__main__":
    main()
