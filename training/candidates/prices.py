"""What asking a candidate costs, as estimated from the task file's prices."""

from dataclasses import dataclass

from training.errors import ArgumentError

SECONDS_AN_HOUR = 3600
TOKENS = 1_000_000


@dataclass(frozen=True)
class Usage:
    """What calls took: `seconds` of asking, pauses between tries included, and tokens where the service counts them."""

    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: "Usage") -> "Usage":
        return Usage(
            self.seconds + other.seconds,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Dollars: of a machine `an_hour`, or, `by_token`, of a million tokens each way. None where nobody said.

    Raises:
        ArgumentError: a price is negative, or of the other kind.
    """

    by_token: bool
    an_hour: float | None = None
    a_million_input_tokens: float | None = None
    a_million_output_tokens: float | None = None

    def __post_init__(self) -> None:
        of_tokens = (self.a_million_input_tokens, self.a_million_output_tokens)
        for price in (self.an_hour, *of_tokens):
            if price is not None and price < 0:
                raise ArgumentError(f"prices must be >= 0, got {price}")
        foreign = (self.an_hour,) if self.by_token else of_tokens
        if any(price is not None for price in foreign):
            raise ArgumentError(f"what this kind costs is said by {self.needed} alone")

    @property
    def known(self) -> bool:
        if self.by_token:
            return self.a_million_input_tokens is not None and self.a_million_output_tokens is not None
        return self.an_hour is not None

    @property
    def needed(self) -> str:
        if self.by_token:
            return "--dollars-per-million-input-tokens and --dollars-per-million-output-tokens"
        return "--dollars-per-hour"

    def dollars(self, usage: Usage) -> float | None:
        """The estimate; None without the prices that it needs."""
        if not self.known:
            return None
        by_machine = usage.seconds * (self.an_hour or 0.0) / SECONDS_AN_HOUR
        read = usage.input_tokens * (self.a_million_input_tokens or 0.0)
        return by_machine + (read + usage.output_tokens * (self.a_million_output_tokens or 0.0)) / TOKENS
