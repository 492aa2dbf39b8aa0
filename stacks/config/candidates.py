"""Candidates of a task that writes text: further ways to answer its evaluation sets, compared with its own models.

Each is of one kind: `foundation` (a model as it is, asked with a prompt), `bedrock`, `fine_tuned` (another model of
this project) or `custom` (the user's own code or container).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stacks.config.values import ArgumentText, BedrockModelId, EndpointName, InstanceType, Model, S3Uri
from stacks.settings import Settings
from training.table_schemas import MODELS

# A job takes ten inputs, and that which compares needs five beside the candidates' answers.
MOST_CANDIDATES = 5
# Names of what every comparison holds, and the folder in which the pre-trained model's answers lie.
_TAKEN = (*MODELS, "pretrained")
# What a job finds in its inputs or environment, and not among its arguments.
_NO_ARGUMENTS = {"model", "s3_uri", "handler", "attempt", "instance_type"}

Dollars = Annotated[float, Field(gt=0)]
# A folder beside the task file.
HandlerFolder = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]


class Candidate(Settings):
    """What candidates of every kind have.

    Of each evaluation set `max_records` are asked, None for all. At an estimate of `max_dollars` no more are asked;
    None for no limit. `licence` names one that somebody has to accept. `instance_type` is the job's machine in place of
    that of jobs.answer. Answers are taken from the cache while nothing changed: a higher `attempt` asks anew, for what
    changed outside the task file.
    """

    kind: str
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
    max_records: Annotated[int, Field(ge=1)] | None = None
    max_dollars: Dollars | None = None
    licence: Annotated[str, Field(pattern=r"^[^\n]{1,100}$")] | None = None
    instance_type: InstanceType | None = None
    attempt: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _has_a_name_of_its_own(self) -> Self:
        if self.name in _TAKEN:
            raise ValueError(f"name {self.name} is taken: a candidate's must be none of {', '.join(_TAKEN)}")
        return self

    @property
    def construct_id(self) -> str:
        """Its name as steps and constructs have names: SmallLanguageModel."""
        return "".join(part.title() for part in self.name.split("-"))

    @property
    def job(self) -> str:
        """The kind of job in which it answers, which has a role of its own."""
        return f"answer_{self.name.replace('-', '_')}"

    @property
    def loaded(self) -> Model | None:
        """The model that the job loads."""
        return None

    @property
    def answers_in_job(self) -> bool:
        """The job's own machine writes the answers, rather than a service or an endpoint."""
        return True

    @property
    def has_network(self) -> bool:
        """The job calls something, or fetches a model from the hub."""
        return not self.answers_in_job or (self.loaded is not None and self.loaded.source == "huggingface")

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of training/answer_candidate.py that the task file gives."""
        given = self.model_dump(exclude=_NO_ARGUMENTS, exclude_none=True)
        return {name.replace("_", "-"): value for name, value in given.items()}


class Prompted(Candidate):
    """A candidate that is told what to do. With `examples`, so many training pairs stand in the place of {examples} in
    the prompt, each as `example` says."""

    prompt: ArgumentText
    example: ArgumentText | None = None
    examples: Annotated[int, Field(ge=0, le=10)] = 0
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]

    @model_validator(mode="after")
    def _has_its_places(self) -> Self:
        if self.prompt.count("{input}") != 1:
            raise ValueError("prompt must hold {input} exactly once")
        if self.prompt.count("{examples}") != (self.examples > 0):
            raise ValueError("prompt must hold {examples} exactly once with examples, and nowhere without them")
        if (self.example is None) != (self.examples == 0):
            raise ValueError(f"example and examples belong together: got examples {self.examples}")
        if self.example is not None and any(self.example.count(place) != 1 for place in ("{input}", "{target}")):
            raise ValueError("example must hold {input} and {target}, each exactly once")
        return self


class OnMachine(Candidate):
    """A candidate that answers on a machine at `dollars_per_hour`; None for what `stages.yaml` says of the job's."""

    dollars_per_hour: Dollars | None = None

    @model_validator(mode="after")
    def _has_a_price_for_its_limit(self) -> Self:
        if self.max_dollars is not None and self.dollars_per_hour is None and not self.answers_in_job:
            raise ValueError("max_dollars of an endpoint needs dollars_per_hour, the price of its machines")
        return self


class Foundation(Prompted, OnMachine):
    """A model as it is: one that the job loads, or a SageMaker endpoint, such as one that JumpStart made."""

    kind: Literal["foundation"]
    model: Model | None = None
    endpoint: EndpointName | None = None

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        _check_one_of(self, "model", "endpoint")
        if self.model is not None and self.model.source not in ("huggingface", "s3"):
            raise ValueError(f"model.source must be huggingface or s3 for a candidate, got {self.model.source}")
        return self

    @property
    def loaded(self) -> Model | None:
        return self.model

    @property
    def answers_in_job(self) -> bool:
        return self.endpoint is None


class Bedrock(Prompted):
    """A model of Amazon Bedrock: texts are sent to that service."""

    kind: Literal["bedrock"]
    model_id: BedrockModelId
    dollars_per_million_input_tokens: Dollars | None = None
    dollars_per_million_output_tokens: Dollars | None = None

    @model_validator(mode="after")
    def _has_both_prices_or_none(self) -> Self:
        known = [self.dollars_per_million_input_tokens, self.dollars_per_million_output_tokens].count(None)
        if known == 1 or (known == 2 and self.max_dollars is not None):
            raise ValueError(
                "dollars_per_million_input_tokens and dollars_per_million_output_tokens belong together, "
                "and max_dollars needs both"
            )
        return self

    @property
    def answers_in_job(self) -> bool:
        return False


class FineTuned(OnMachine):
    """Another model of this project, a model directory or its archive, asked as its card says."""

    kind: Literal["fine_tuned"]
    s3_uri: S3Uri

    @property
    def loaded(self) -> Model | None:
        return Model(source="s3", s3_uri=self.s3_uri)


class Custom(OnMachine):
    """The user's own: `handler`, a folder beside the task file with inference.py, or an endpoint."""

    kind: Literal["custom"]
    handler: HandlerFolder | None = None
    endpoint: EndpointName | None = None

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        _check_one_of(self, "handler", "endpoint")
        return self

    @property
    def answers_in_job(self) -> bool:
        return self.endpoint is None


AnyCandidate = Annotated[Foundation | Bedrock | FineTuned | Custom, Field(discriminator="kind")]


class Choice(Settings):
    """What a candidate must keep to be recommended; docs/choosing.md has the other rules."""

    allow_leaving_account: bool = True
    max_dollars_per_1000: Dollars | None = None
    max_seconds_per_1000: Annotated[float, Field(gt=0)] | None = None


def _check_one_of(candidate: Candidate, *names: str) -> None:
    given = [name for name in names if getattr(candidate, name) is not None]
    if len(given) != 1:
        raise ValueError(f"kind {candidate.kind} takes exactly one of {', '.join(names)}, got {given}")
