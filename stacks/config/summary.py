"""Tasks that write text: a summary of what they are given."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.config.candidates import MOST_CANDIDATES, AnyCandidate, Choice, Custom, Foundation
from stacks.config.task import Jobs, Serving, Task
from stacks.config.values import ARGUMENT_LIMIT, Compute, Model, Share, Training, Variant
from stacks.settings import Settings

# What JumpStart's script can be told. The rest of `SummaryTraining` is for this project's own script.
JUMPSTART_TRAINING = {"epochs", "learning_rate", "train_batch_size", "max_input_tokens", "seed"}

# What the folder of a candidate's handler must hold, as the Hugging Face inference toolkit expects it.
HANDLER_FILE = "inference.py"


class SummaryTraining(Training):
    """Hyperparameters of training/fine_tune.py.

    `max_target_tokens` is None only for JumpStart's script, which cannot be told it.
    """

    max_input_tokens: Annotated[int, Field(ge=8, le=16384)]
    max_target_tokens: Annotated[int, Field(ge=4, le=4096)] | None = None
    label_smoothing: Share = 0.0
    strategy: Literal["ddp", "fsdp"] = "ddp"


class Generation(Settings):
    """How answers are generated, in the pipeline and as the endpoint's default.

    `method` mbr (minimum Bayes risk) draws `samples` answers at `temperature` and gives, of these and the impressions
    of similar reports, the one that is expected to be closest to the truth; `batch_size` then counts samples.
    consensus gives what the similar reports agree on, without the model. `long_inputs` says what becomes of a text that
    is longer than the model reads (`training.max_input_tokens`): summarised in pieces, or refused with its length.
    """

    method: Literal["greedy", "beams", "mbr", "consensus"] = "greedy"
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)]
    num_beams: Annotated[int, Field(ge=1, le=16)] = 1
    num_return_sequences: Annotated[int, Field(ge=1, le=16)] = 1
    samples: Annotated[int, Field(ge=1, le=64)] | None = None
    temperature: Annotated[float, Field(gt=0, le=5)] | None = None
    long_inputs: Literal["split", "refuse"] = "split"
    batch_size: Annotated[int, Field(ge=1, le=1024)]

    @model_validator(mode="after")
    def _has_what_its_method_needs(self) -> Self:
        if (self.num_beams > 1) != (self.method == "beams"):
            raise ValueError(f"num_beams above 1 belongs to method beams, got {self.num_beams} with {self.method}")
        given = {name for name in ("samples", "temperature") if getattr(self, name) is not None}
        if given != ({"samples", "temperature"} if self.method == "mbr" else set()):
            raise ValueError(f"samples and temperature belong to method mbr, got {sorted(given)} with {self.method}")
        return self

    @property
    def decoding(self) -> dict[str, str | int | float]:
        """Arguments of the scripts that decode, by name."""
        return self.model_dump(exclude={"num_return_sequences", "batch_size"}, exclude_none=True)

    @model_validator(mode="after")
    def _returns_no_more_than_it_searches(self) -> Self:
        if self.num_return_sequences > self.num_beams:
            raise ValueError(
                f"num_return_sequences must be <= num_beams ({self.num_beams}), got {self.num_return_sequences}"
            )
        return self


class SummaryJobs(Jobs):
    """Machines of the pipeline's jobs. `answer` belongs to candidates."""

    generate: Compute
    answer: Compute | None = None


class SummaryServing(Serving):
    """Endpoints. `pretrained` is for comparison and may be switched off by leaving it out. With `similar_text`, the
    live endpoint gives those who ask it to explain an answer the impressions of the training reports behind it."""

    pretrained: Variant | None = None
    similar_text: bool = False


class SummaryTask(Task):
    """A task whose targets are text. With `retrieval` the model is shown what was written of similar reports.
    `candidates` are compared with its models on the same evaluation sets, and one of all is recommended by `choice`."""

    kind: Literal["summary"]
    prompt: Annotated[str, Field(max_length=ARGUMENT_LIMIT)]
    retrieval: bool = False
    training: SummaryTraining
    generation: Generation
    candidates: Annotated[tuple[AnyCandidate, ...], Field(max_length=MOST_CANDIDATES)] = ()
    choice: Choice = Choice()
    jobs: SummaryJobs
    serving: SummaryServing

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.prompt.count("{input}") != 1:
            raise ValueError("prompt must hold {input} exactly once")
        if self.prompt.count("{similar}") != self.retrieval:
            raise ValueError("prompt must hold {similar} exactly once with retrieval, and nowhere without it")
        if self.generation.method == "consensus" and not self.retrieval:
            raise ValueError("generation.method consensus needs retrieval: it is what similar reports agree on")
        if self.serving.similar_text and not self.retrieval:
            raise ValueError("serving.similar_text needs retrieval: without it no answer rests on similar reports")
        if self.model.source == "jumpstart":
            self._fits_jumpstart()
        elif self.training.max_target_tokens is None:
            raise ValueError(f"training.max_target_tokens is needed with model.source {self.model.source}")
        return self

    @model_validator(mode="after")
    def _compares_what_can_be_told_apart(self) -> Self:
        ids = [candidate.construct_id for candidate in self.candidates]
        if len(set(ids)) != len(ids):
            names = ", ".join(candidate.name for candidate in self.candidates)
            raise ValueError(f"candidates must have names that differ in more than dashes, got {names}")
        if bool(self.candidates) != (self.jobs.answer is not None):
            raise ValueError("candidates and jobs.answer belong together: give both or neither")
        if self.jobs.answer is not None and self.jobs.answer.instance_count != 1:
            raise ValueError("jobs.answer.instance_count must be 1: what a candidate costs is counted in one place")
        if "choice" in self.model_fields_set and not self.candidates:
            raise ValueError("choice needs candidates: without them there is nothing to choose from")
        return self

    @model_validator(mode="after")
    def _has_its_handlers(self) -> Self:
        for candidate in self.candidates:
            if not isinstance(candidate, Custom) or candidate.handler is None:
                continue
            if not (self.folder / candidate.handler / HANDLER_FILE).is_file():
                raise ValueError(
                    f"candidate {candidate.name}: handler must be a folder beside the task file with {HANDLER_FILE}, "
                    f"and {candidate.handler}/{HANDLER_FILE} is no file"
                )
        return self

    def _fits_jumpstart(self) -> None:
        """JumpStart's script takes few settings, whole epochs, and reads every brace of the prompt as a field."""
        if self.retrieval:
            raise ValueError("retrieval must be off with model.source jumpstart: its script reads texts as they are")
        ignored = sorted(self.training.model_fields_set - JUMPSTART_TRAINING)
        if ignored:
            raise ValueError(
                f"training.{', training.'.join(ignored)} must be left out with model.source jumpstart: "
                f"its script takes only {', '.join(sorted(JUMPSTART_TRAINING))}"
            )
        if self.training.epochs != int(self.training.epochs):
            raise ValueError(f"training.epochs must be whole with model.source jumpstart, got {self.training.epochs}")
        if set("{}") & set(self.prompt.replace("{input}", "")):
            raise ValueError("prompt may hold no braces but those of {input} with model.source jumpstart")
        if self.jobs.fine_tune.instance_count != 1:
            raise ValueError("jobs.fine_tune.instance_count must be 1 with model.source jumpstart: its script uses one")

    @property
    def models(self) -> tuple[Model, ...]:
        return (self.model, *(candidate.loaded for candidate in self.candidates if candidate.loaded is not None))

    def with_models(self, change: Callable[[Model], Model]) -> Self:
        candidates = tuple(
            candidate.model_copy(update={"model": change(candidate.model)})
            if isinstance(candidate, Foundation) and candidate.model is not None
            else candidate
            for candidate in self.candidates
        )
        return self.model_copy(update={"model": change(self.model), "candidates": candidates})

    @property
    def plain_prompt(self) -> str:
        """The prompt without similar reports: what a model is asked that has none to find them among."""
        return self.prompt.replace("{similar}", "")

    @property
    def model_folder(self) -> str:
        return "packaged" if self.model.source == "jumpstart" else "training"

    @property
    def answering(self) -> tuple[str, Compute]:
        return "Generate", self.jobs.generate

    @property
    def pretrained(self) -> Variant | None:
        return self.serving.pretrained

    @property
    def similar_text(self) -> bool:
        return self.serving.similar_text
