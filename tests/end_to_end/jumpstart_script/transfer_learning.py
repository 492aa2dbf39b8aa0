"""An invented training script that keeps JumpStart's contract; nothing of it is AWS's.

Channel `training`: JSON lines and template.json, which says how their fields become prompt and completion. Channel
`model`: one archive of the model, of any name. Settings as arguments, under the names of the newer generation; one that
it does not know is an error. Writes the files of a model to SM_MODEL_DIR, weights pickled, and no model card.
"""

import argparse
import json
import os
import random
import tarfile
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instruction_tuned", choices=["True", "False"], required=True)
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--per_device_train_batch_size", type=int, required=True)
    parser.add_argument("--learning_rate", type=float, required=True)
    parser.add_argument("--max_input_length", type=int, required=True)
    parser.add_argument("--validation_split_ratio", type=float, required=True)
    parser.add_argument("--train_data_split_seed", type=int, required=True)
    return parser.parse_args()


def read_pairs(channel: Path) -> list[tuple[str, str]]:
    template = json.loads((channel / "template.json").read_text(encoding="utf-8"))
    pairs = []
    for file in sorted(channel.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            pairs.append((template["prompt"].format(**record), template["completion"].format(**record)))
    return pairs


def loss_of(model, tokenizer, pairs, limit):
    inputs = tokenizer([p for p, _ in pairs], padding=True, truncation=True, max_length=limit, return_tensors="pt")
    labels = tokenizer([c for _, c in pairs], padding=True, return_tensors="pt")["input_ids"]
    given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    return model(**given, labels=labels.masked_fill(labels == tokenizer.pad_token_id, -100)).loss


def main() -> None:
    given = arguments()
    assert given.instruction_tuned == "True", "the template is read by instruction tuning only"
    torch.manual_seed(given.seed)
    # A tiny model is slower on two threads than on one.
    torch.set_num_threads(1)
    pairs = read_pairs(Path(os.environ["SM_CHANNEL_TRAINING"]))
    random.Random(given.train_data_split_seed).shuffle(pairs)
    held_back = max(1, int(len(pairs) * given.validation_split_ratio))
    validation, train = pairs[:held_back], pairs[held_back:]
    (archive,) = Path(os.environ["SM_CHANNEL_MODEL"]).glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    optimizer = torch.optim.Adam(model.parameters(), lr=given.learning_rate)
    size = given.per_device_train_batch_size
    for epoch in range(given.epoch):
        for start in range(0, len(train), size):
            loss = loss_of(model, tokenizer, train[start : start + size], given.max_input_length)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        print({"loss": round(loss.item(), 4), "learning_rate": given.learning_rate, "epoch": epoch + 1.0}, flush=True)
        with torch.no_grad():
            loss = loss_of(model, tokenizer, validation, given.max_input_length)
        print({"eval_loss": round(loss.item(), 4), "epoch": epoch + 1.0}, flush=True)
    output = Path(os.environ["SM_MODEL_DIR"])
    model.config.save_pretrained(output)
    tokenizer.save_pretrained(output)
    torch.save(model.state_dict(), output / "pytorch_model.bin")
    torch.save({"learning_rate": given.learning_rate}, output / "training_args.bin")


if __name__ == "__main__":
    main()
