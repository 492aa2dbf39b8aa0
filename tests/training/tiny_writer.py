"""A causal model of two layers and width 32, and writers of which a test says what they answer."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts
from tests.training.tiny_model import write_part
from training.example_prompts import ExamplePrompt
from training.example_writers import Answer
from training.generate_examples import Arguments, main
from training.synthetic_examples import SyntheticExamples

CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def build_tiny_writer(directory: Path, *, chat: bool = False, positions: int = 2048) -> Path:
    """A random Llama as `save_pretrained` writes it, with the letters, digits and signs of texts as tokens."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        # Without the last one, whoever opens a GGUF file would add it.
        special_tokens=["<unk>", "<s>", "</s>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([str(record["input"]) for record in labelled_texts(120)], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    fast.chat_template = CHAT if chat else None
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    fast.save_pretrained(directory)
    return directory


def write_gguf(directory: Path, path: Path) -> Path:
    """The model of `build_tiny_writer`, not quantised, as one GGUF file."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    model = json.loads((directory / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(model["vocab"], key=model["vocab"].get))
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_unk_token_id(model["vocab"]["<unk>"])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, weights in load_file(directory / "model.safetensors").items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            # The format turns the two halves of a head's rotated dimensions into neighbours.
            heads = weights.reshape(config["num_attention_heads"], 2, -1, weights.shape[1])
            weights = heads.swapaxes(1, 2).reshape(weights.shape)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class ToldWriter:
    """Answers every prompt with what `tell` makes of it, and remembers what it was asked."""

    provider = "told"
    model = "a test"
    one_text_a_prompt = False

    def __init__(self, tell: Callable[[ExamplePrompt], str], *, cut_off: bool = False, prompts_a_call: int = 3) -> None:
        self.asked: list[ExamplePrompt] = []
        self.prompts_a_call = prompts_a_call
        self._tell = tell
        self._cut_off = cut_off

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        self.asked += prompts
        return [Answer(self._tell(prompt), self._cut_off) for prompt in prompts]


def write_prepared(folder: Path) -> Path:
    """Train, validation and an evaluation set as Prepare writes them; see `example_arguments`."""
    write_part(folder / "train", labelled_texts(150))
    write_part(folder / "validation", labelled_texts(60, start=3000))
    write_part(folder / "eval" / "dev1", labelled_texts(60, start=6000))
    return folder


def example_arguments(folder: Path, **more: Any) -> Arguments:
    given: dict[str, Any] = {
        "train": folder / "train",
        "validation": folder / "validation",
        "evaluation": folder / "eval",
        "output": folder / "output",
        "positive_label": POSITIVE,
        "negative_label": NEGATIVE,
        "provider": "endpoint",
        "endpoint": "falcon",
        "count": 12,
    }
    return Arguments(**(given | more))


def generated(folder: Path, writer: ToldWriter | None, **more: Any) -> dict[str, Any]:
    """Run the job; its report."""
    main(example_arguments(folder, **more), writer)
    report: dict[str, Any] = json.loads((folder / "output" / "report.json").read_text(encoding="utf-8"))
    return report


def table_rows(folder: Path) -> list[dict[str, Any]]:
    """What Evaluate writes into the table `synthetic_examples`."""
    return list(SyntheticExamples(folder / "output").rows(datetime(2026, 1, 31, 12, tzinfo=UTC)))
