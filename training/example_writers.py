"""What writes examples, whatever it is: training/causal_writer.py and training/remote_writers.py hold the providers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from training.errors import ArgumentError
from training.example_prompts import ExamplePrompt

MODEL, BEDROCK, ENDPOINT = PROVIDERS = "model", "bedrock", "endpoint"
# Of the next tokens only the likeliest that together have this probability are drawn.
TOP_P = 0.95


@dataclass(frozen=True)
class Sampling:
    """`max_new_tokens` 1..4096 of an answer; `temperature` in (0, 2]; `seed` fixes what is drawn, where it can.

    Raises:
        ArgumentError: a value is out of its range.
    """

    max_new_tokens: int
    temperature: float
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.max_new_tokens <= 4096:
            raise ArgumentError(f"max_new_tokens must be between 1 and 4096, got {self.max_new_tokens}")
        if not 0 < self.temperature <= 2:
            raise ArgumentError(f"temperature must be above 0 and at most 2, got {self.temperature}")
        if self.seed < 0:
            raise ArgumentError(f"seed must be >= 0, got {self.seed}")


@dataclass(frozen=True)
class Answer:
    """What was written to a prompt; begins with the number of the first text where the prompt ended with that.

    `cut_off` is true where it may have ended at the limit on tokens or time and not by itself.
    """

    text: str
    cut_off: bool


class TimeBudget:
    """Seconds for asking, from `start` on; `max_seconds` 0 means no limit."""

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._began = time.monotonic()

    def start(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        return self._max_seconds - self.seconds if self._max_seconds else float("inf")


class ExampleWriter(Protocol):
    """Answers prompts. `model` says which model that is; `prompts_a_call` is how many it is best given at once."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def prompts_a_call(self) -> int: ...

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        """Answer each prompt, in order.

        Raises:
            GenerationError: the model cannot be asked, or answers in another form than agreed.
        """
        ...
