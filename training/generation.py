"""Asking a model: used by evaluation (training/generate.py) and by the endpoint (training/inference.py) alike.

Prompts, precision, batching and decoding are decided here and nowhere else, so a score in a report is a score of what
the endpoint answers.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from training.answer_choice import AnswerChoice, Asked
from training.errors import ArgumentError
from training.model_directory import ANSWER_CHOICE, SIMILAR_REPORTS, ModelCard, read_model_card
from training.model_loading import (
    batches_by_length,
    check_position_limit,
    encoder_inputs,
    inference_dtype,
    load_model,
)
from training.prompt import shows_similar
from training.prompt_tokens import PromptTokens
from training.retrieval import Similar, SimilarReports
from training.sampling import SamplingNoise, draw_rows
from training.similar_impressions import find_similar, shown_impressions

# Sequences (texts times beams or samples) in one call of the model, which bounds its memory: of a large model each
# takes a hundred megabytes for its keys and values; of a small one it is quicker to compute more of them at once.
SEQUENCES_A_CALL, SEQUENCES_A_CALL_OF_SMALL = 32, 136
SMALL_PARAMETERS = 50_000_000
MAX_NEW_TOKENS_LIMIT = 1024
NUM_BEAMS_LIMIT = 16
NUM_RETURN_SEQUENCES_LIMIT = 16
SAMPLES_LIMIT = 64
METHODS = GREEDY, BEAMS, MBR, CONSENSUS = "greedy", "beams", "mbr", "consensus"
# What a model card says of a method, beside what becomes of long texts.
_CARD_PARAMETERS = {MBR: ("method", "samples", "temperature"), CONSENSUS: ("method",)}
# What becomes of a text that is longer than the model reads (training/summariser.py).
LONG_INPUTS = SPLIT, REFUSE = "split", "refuse"


@dataclass(frozen=True, kw_only=True)
class GenerationParameters:
    """How to decode. Greedy by default.

    `max_new_tokens` 1..1024; `num_beams` 1..16; `num_return_sequences` 1..`num_beams`, with `do_sample` 1..16;
    `temperature` in (0, 5] with `do_sample` or method mbr; `top_p` in (0, 1] with `do_sample`; `seed` 0..2**32-1 fixes
    sampling. `method` is greedy, beams, mbr, consensus or None, which is what the others say.

    mbr is minimum Bayes risk: of the greedy answer, `samples` (1..64) drawn ones and the impressions of similar
    reports, the one that is expected to be closest to the truth (training/answer_choice.py). consensus is what the
    similar reports agree on; the model is asked only where there are none. `long_inputs` split or refuse says what
    becomes of a text that is longer than the model reads.

    Raises:
        ArgumentError: a value is of another type, out of range or does not fit another one.
    """

    max_new_tokens: int = 128
    num_beams: int = 1
    num_return_sequences: int = 1
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    method: str | None = None
    samples: int = 16
    long_inputs: str = SPLIT

    def __post_init__(self) -> None:
        self._check_types()
        _check_range("max_new_tokens", self.max_new_tokens, 1, MAX_NEW_TOKENS_LIMIT)
        _check_range("num_beams", self.num_beams, 1, NUM_BEAMS_LIMIT)
        returned = NUM_RETURN_SEQUENCES_LIMIT if self.do_sample else self.num_beams
        _check_range("num_return_sequences", self.num_return_sequences, 1, returned)
        if self.do_sample and self.num_beams > 1:
            raise ArgumentError("num_beams must be 1 with do_sample")
        self._check_method()
        if not self.do_sample and self.top_p != 1.0:
            raise ArgumentError("top_p has a meaning only with do_sample")
        if not self.do_sample and self.method != MBR and self.temperature != 1.0:
            raise ArgumentError(f"temperature has a meaning only with do_sample or method {MBR}")
        if not 0 < self.temperature <= 5:
            raise ArgumentError(f"temperature must be above 0 and at most 5, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ArgumentError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        _check_range("seed", self.seed, 0, 2**32 - 1)
        if self.long_inputs not in LONG_INPUTS:
            raise ArgumentError(f"long_inputs must be one of {', '.join(LONG_INPUTS)}")

    def _check_method(self) -> None:
        if self.method not in (None, *METHODS):
            raise ArgumentError(f"method must be one of {', '.join(METHODS)}")
        if self.method == BEAMS and self.num_beams == 1:
            raise ArgumentError(f"num_beams must be at least 2 with method {BEAMS}")
        others = (self.num_beams, self.num_return_sequences, self.do_sample)
        if self.method in (GREEDY, MBR, CONSENSUS) and others != (1, 1, False):
            raise ArgumentError(
                f"method {self.method} gives one answer of its own: without num_beams, num_return_sequences, do_sample"
            )
        _check_range("samples", self.samples, 1, SAMPLES_LIMIT)

    def _check_types(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "method":
                if not isinstance(value, str | None):
                    raise ArgumentError(f"method must be str, got {type(value).__name__}")
                continue
            # bool is an int in Python, not in JSON; an integer is a fine float.
            wanted = {int: (int,), bool: (bool,), float: (int, float), str: (str,)}[type(field.default)]
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                raise ArgumentError(f"{field.name} must be {type(field.default).__name__}, got {type(value).__name__}")

    @property
    def card_decoding(self) -> dict[str, Any]:
        """What of these the model card keeps; beams and length stand in the model's generation config."""
        names = (*_CARD_PARAMETERS.get(self.method or "", ()), "long_inputs")
        return {name: getattr(self, name) for name in names}

    def generation_config(self, model_config: GenerationConfig) -> GenerationConfig:
        """The model's own special tokens with these parameters, and nothing else of the model's defaults."""
        sampling: dict[str, float] = {}
        if self.do_sample:
            # float(): JSON's 2 is an int, which transformers refuses as a temperature.
            sampling = {"temperature": float(self.temperature), "top_p": float(self.top_p), "top_k": 0}
        return GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            num_return_sequences=self.num_return_sequences,
            do_sample=self.do_sample,
            decoder_start_token_id=model_config.decoder_start_token_id,
            bos_token_id=model_config.bos_token_id,
            eos_token_id=model_config.eos_token_id,
            pad_token_id=model_config.pad_token_id,
            forced_bos_token_id=model_config.forced_bos_token_id,
            forced_eos_token_id=model_config.forced_eos_token_id,
            **sampling,
        )


@dataclass(frozen=True)
class Question:
    """What a model is asked about `text`: `prompt` as ids, all of it; `similar` was found for it."""

    text: str
    prompt: list[int]
    similar: list[Similar]


class TextGenerator:
    """A loaded model with its tokenizer, its card and, if it has some, reports among which it finds similar ones.
    `choice` is how minimum Bayes risk chooses."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        card: ModelCard,
        similar: SimilarReports | None = None,
        choice: AnswerChoice | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.card = card
        self.similar = similar
        self.choice = choice or AnswerChoice()

    @classmethod
    def load(cls, directory: Path, device: str | None = None, similar: Path | None = None) -> "TextGenerator":
        """Load a model directory onto `device` (default: the first GPU, or the CPU).

        `similar` is a folder of similar reports, by default the one that the model directory holds, if any.

        Raises:
            ModelError: the directory is incomplete or its files do not fit together.
        """
        card = read_model_card(directory)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model, tokenizer = load_model(directory, inference_dtype(device))
        check_position_limit(model.config, card.max_input_tokens)
        own = directory / SIMILAR_REPORTS
        folder = similar or (own if own.is_dir() else None)
        reports = SimilarReports.load(folder) if folder is not None else None
        learnt = directory / ANSWER_CHOICE
        choice = AnswerChoice.load(learnt) if learnt.is_dir() else None
        return cls(model.to(device).eval(), tokenizer, card, reports, choice)

    @property
    def defaults(self) -> GenerationParameters:
        """What FineTune or StageModel saved as this model's own way of decoding."""
        config = self.model.generation_config
        return GenerationParameters(
            max_new_tokens=config.max_new_tokens or GenerationParameters.max_new_tokens,
            num_beams=config.num_beams or GenerationParameters.num_beams,
            **(self.card.decoding or {}),
        )

    @property
    def sequences_a_call(self) -> int:
        """How many sequences the model may be asked for at once."""
        small = self.model.num_parameters() < SMALL_PARAMETERS
        return SEQUENCES_A_CALL_OF_SMALL if small else SEQUENCES_A_CALL

    def prompt(self, prompt_template: str | None = None) -> PromptTokens:
        """What composes the prompts, of the model's own template unless another is given.

        Raises:
            ArgumentError: the prompt shows similar reports, and there are none to find them among.
        """
        template = prompt_template or self.card.prompt_template
        if shows_similar(template) and self.similar is None:
            raise ArgumentError("the prompt shows similar reports, and the model came without any: give --similar")
        return PromptTokens(self.tokenizer, template, self.card.max_input_tokens)

    def questions(self, texts: Sequence[str], prompt_template: str | None = None) -> list[Question]:
        """Find what is similar, and make the prompts.

        Raises:
            ArgumentError: a text is longer than the model reads (training/summariser.py splits such texts), or the
                prompt shows similar reports, and there are none to find them among.
        """
        prompt = self.prompt(prompt_template)
        found = find_similar(self.similar, texts) if self.similar is not None else [[] for _ in texts]
        questions: list[Question] = []
        for text, head, similar in zip(texts, prompt.heads(texts), found, strict=True):
            if prompt.length(head) > prompt.max_input_tokens:
                raise ArgumentError(
                    f"text {len(questions)} is too long: {prompt.length(head)} tokens with the prompt, this model "
                    f"reads {prompt.max_input_tokens}"
                )
            impressions = shown_impressions(similar) if prompt.shows_similar else []
            ids = prompt.compose(head, prompt.impressions(impressions) if impressions else [])
            questions.append(Question(text, ids, similar))
        return questions

    def generate(
        self, questions: Sequence[Question], parameters: GenerationParameters, batch_size: int
    ) -> list[list[str]]:
        """Decode answers: `num_return_sequences` for each question, in their order.

        Prompts of similar length share a batch of at most `batch_size` and one call of the model; each sample of
        minimum Bayes risk counts as one there. Method consensus is not among what a model decodes by.
        """
        if parameters.method == CONSENSUS:
            raise ValueError(f"method {CONSENSUS} is answered by training/summariser.py")
        if parameters.method == MBR:
            return [[self.choice.best(asked)] for asked in self.ask(questions, parameters, batch_size)]
        answers: list[list[str]] = [[] for _ in questions]
        config = parameters.generation_config(self.model.generation_config)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(parameters.seed)
            for indices in batches_by_length([len(question.prompt) for question in questions], batch_size):
                batch = self._padded([questions[index].prompt for index in indices])
                texts = self._decoded(self.model.generate(**batch, generation_config=config))
                for position, index in enumerate(indices):
                    first = position * parameters.num_return_sequences
                    answers[index] = texts[first : first + parameters.num_return_sequences]
        return answers

    def ask(self, questions: Sequence[Question], parameters: GenerationParameters, batch_size: int) -> list[Asked]:
        """All that minimum Bayes risk chooses by."""
        drawn = self.draw(questions, parameters, batch_size)
        expected = self.choice.expectations([question.text for question in questions])
        return [
            Asked(answers, question.similar, words)
            for answers, question, words in zip(drawn, questions, expected, strict=True)
        ]

    def draw(self, questions: Sequence[Question], parameters: GenerationParameters, batch_size: int) -> list[list[str]]:
        """The greedy answer and `samples` drawn ones for each question; the same in whatever batch it stands."""
        greedy = dataclasses.replace(parameters, method=GREEDY, temperature=1.0)
        config = greedy.generation_config(self.model.generation_config)
        rows = 1 + parameters.samples
        answers: list[list[str]] = [[] for _ in questions]
        with torch.inference_mode():
            lengths = [len(question.prompt) for question in questions]
            for indices in batches_by_length(lengths, max(1, batch_size // rows)):
                prompts = [questions[index].prompt for index in indices]
                noise = SamplingNoise(prompts, parameters.samples, parameters.temperature, parameters.seed)
                texts = self._decoded(draw_rows(self.model, self._padded(prompts), noise, config))
                for position, index in enumerate(indices):
                    answers[index] = texts[position * rows : (position + 1) * rows]
        return answers

    def _padded(self, prompts: list[list[int]]) -> dict[str, torch.Tensor]:
        batch = self.tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
        inputs = encoder_inputs(self.model.config, batch["input_ids"], batch["attention_mask"])
        return {name: values.to(self.model.device) for name, values in inputs.items()}

    def _decoded(self, outputs: torch.Tensor | list[list[int]]) -> list[str]:
        return [text.strip() for text in self.tokenizer.batch_decode(outputs, skip_special_tokens=True)]


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ArgumentError(f"{name} must be between {low} and {high}, got {value}")
