"""What a candidate is: one way to answer the evaluation sets, as the arguments of training/answer_candidate.py say."""

from dataclasses import dataclass
from pathlib import Path

from training.candidates.prices import Prices
from training.candidates.prompts import check_prompt
from training.errors import ArgumentError

KINDS = FOUNDATION, BEDROCK, FINE_TUNED, CUSTOM = "foundation", "bedrock", "fine_tuned", "custom"
# What says where the answers of a kind come from: exactly one of these arguments.
SOURCES = {
    FOUNDATION: ("model", "model_id", "endpoint"),
    BEDROCK: ("model_id",),
    FINE_TUNED: ("model",),
    CUSTOM: ("handler", "endpoint"),
}
# Kinds that a prompt asks; the others are given the record's input as it is.
PROMPTED = (FOUNDATION, BEDROCK)


@dataclass(frozen=True, kw_only=True)
class CandidateArguments:
    """`train` and `evaluation` are Prepare's folders; `max_records` None means all of each set, `max_dollars` None no
    limit, `batch_size` None what suits the kind. `instance_type` is that of the machine which answers and `licence`
    one that somebody must accept. `revision` is a commit of the hub, without it the newest.

    Raises:
        ArgumentError: an argument is out of its range, or does not belong to the kind.
    """

    name: str
    kind: str
    train: Path
    evaluation: Path
    output: Path
    seed: int = 1
    model: Path | None = None
    model_id: str | None = None
    revision: str | None = None
    endpoint: str | None = None
    handler: Path | None = None
    prompt: str | None = None
    example: str | None = None
    examples: int = 0
    max_new_tokens: int | None = None
    max_records: int | None = None
    max_dollars: float | None = None
    dollars_per_hour: float | None = None
    dollars_per_million_input_tokens: float | None = None
    dollars_per_million_output_tokens: float | None = None
    instance_type: str | None = None
    licence: str | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ArgumentError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        self._check_source()
        self._check_asking()
        for name in ("max_new_tokens", "max_records", "batch_size"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ArgumentError(f"{name} must be >= 1, got {value}")
        if self.max_dollars is not None and self.max_dollars <= 0:
            raise ArgumentError(f"max_dollars must be above 0, got {self.max_dollars}")
        prices = self.prices
        if self.max_dollars is not None and not prices.known:
            raise ArgumentError(f"max_dollars needs {prices.needed}, so that the dollars can be estimated")

    @property
    def prices(self) -> Prices:
        return Prices(
            by_token=self.kind == BEDROCK,
            an_hour=self.dollars_per_hour,
            a_million_input_tokens=self.dollars_per_million_input_tokens,
            a_million_output_tokens=self.dollars_per_million_output_tokens,
        )

    def _check_source(self) -> None:
        wanted = SOURCES[self.kind]
        places = {name for some in SOURCES.values() for name in some}
        given = sorted(name for name in places if getattr(self, name) is not None)
        if len(given) != 1 or given[0] not in wanted:
            names = " or ".join(f"--{name.replace('_', '-')}" for name in wanted)
            raise ArgumentError(f"kind {self.kind} takes {names}, got {', '.join(given) or 'none'}")
        if self.revision is not None and (self.kind != FOUNDATION or self.model_id is None):
            raise ArgumentError("revision has a meaning only for kind foundation with --model-id")

    def _check_asking(self) -> None:
        if self.kind in PROMPTED:
            if self.prompt is None or self.max_new_tokens is None:
                raise ArgumentError(f"kind {self.kind} needs --prompt and --max-new-tokens")
            check_prompt(self.prompt, self.example, self.examples)
        elif self.prompt is not None or self.example is not None or self.examples:
            raise ArgumentError(f"kind {self.kind} takes no --prompt, --example and --examples")
        if self.handler is not None and self.max_new_tokens is not None:
            raise ArgumentError("a handler decides itself how long its answers are: without --max-new-tokens")


@dataclass(frozen=True, kw_only=True)
class ChildArguments(CandidateArguments):
    """Of the process that asks: `journal` is the file into which it writes what came of each call."""

    journal: Path
