"""A deployed dashboard with its rows: as the whole document of a file, and answer by answer for the server."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from local.dashboard.coverage import Limits, combinations
from local.dashboard.document import Answer, Document, LeftOut, Reviewable, answers_to_json
from local.dashboard.errors import QuestionError, VerdictError
from local.dashboard.reviewing import Review, Reviewing
from local.dashboard.source import DeployedDashboard, DeployedDataSet

Ask = Callable[[DeployedDataSet, Mapping[str, str]], Answer]
# Athena takes longer to plan a question than to answer one of these.
_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class LiveDashboard:
    """`ask` answers for one data set; `forget` makes it ask anew, `renew` as far as there are new rows; `revision`
    changes when there are. `reviewing` is None where no rows may be judged."""

    deployed: DeployedDashboard
    ask: Ask
    forget: Callable[[], None]
    renew: Callable[[], None]
    revision: Callable[[], str]
    origin: str
    reviewing: Reviewing | None = None

    def document(self) -> Document:
        """What the server's page begins with: the answers that are kept (SPICE); the others are asked as needed."""
        revision = self.revision()
        document = self._document(self._spice(), (), {"revision": revision})
        if self.reviewing is None:
            return document
        return replace(document, reviews=Reviewable(self.reviewing.data_set, self.reviewing.tasks))

    def whole_document(self, limits: Limits) -> Document:
        """What a file holds: the answers that are kept, and those to what a reader may choose."""
        spice = self._spice()
        contents = {name: data_set.contents for name, data_set in self.deployed.data_sets.items()}
        answers: list[Answer] = []
        left_out: list[LeftOut] = []
        for name, data_set in self.deployed.data_sets.items():
            if data_set.contents.mode == "spice":
                continue
            wanted = combinations(self.deployed.definition, contents, spice, name, limits)
            held = self._within(data_set, wanted[: limits.combinations], limits.rows)
            answers += held
            if len(held) < len(wanted):
                left_out.append(LeftOut(name, len(wanted) - len(held)))
        return self._document({**spice}, tuple(answers), {}, tuple(left_out))

    def warm(self) -> None:
        """Ask what a reader who chooses nothing will see, so that it is known when they get there."""
        spice = self._spice()
        contents = {name: data_set.contents for name, data_set in self.deployed.data_sets.items()}
        for name, data_set in self.deployed.data_sets.items():
            if data_set.contents.mode == "direct":
                first, *_ = combinations(self.deployed.definition, contents, spice, name, Limits(linked_values=0))
                self.ask(data_set, first)

    def answer(self, name: str, parameters: Mapping[str, str]) -> str:
        """One answer as JSON.

        Raises:
            QuestionError: there is no such data set, or its parameters are others.
        """
        data_set = self.deployed.data_sets.get(name)
        if data_set is None:
            raise QuestionError(f"there is no data set {name}")
        return answers_to_json([self.ask(data_set, parameters)])

    def review(self, review: Review) -> str:
        """Take a verdict on a row; returns the label that is right.

        Raises:
            VerdictError: nothing of this task may be judged here, or the verdict was not taken.
        """
        if self.reviewing is None or review.task not in self.reviewing.tasks:
            raise VerdictError("rows of this task cannot be judged here")
        return self.reviewing.give(review)

    def _spice(self) -> dict[str, Answer]:
        kept = [one for one in self.deployed.data_sets.values() if one.contents.mode == "spice"]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(lambda data_set: self.ask(data_set, {}), kept))
        return {data_set.identifier: answer for data_set, answer in zip(kept, answers, strict=True)}

    def _within(self, data_set: DeployedDataSet, wanted: list[dict[str, str]], rows: int) -> list[Answer]:
        """The first answers that together have at most so many rows; the first one in any case."""
        held: list[Answer] = []
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for start in range(0, len(wanted), _AT_ONCE):
                asked = wanted[start : start + _AT_ONCE]
                for answer in threads.map(lambda parameters: self.ask(data_set, parameters), asked):
                    if held and sum(one.rows for one in held) + answer.rows > rows:
                        return held
                    held.append(answer)
        return held

    def _document(
        self,
        spice: Mapping[str, Answer],
        direct: tuple[Answer, ...],
        more: Mapping[str, str],
        left_out: tuple[LeftOut, ...] = (),
    ) -> Document:
        deployed = self.deployed
        read_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return Document(
            title=deployed.title,
            definition=deployed.definition,
            theme=deployed.theme,
            data_sets={name: data_set.contents for name, data_set in deployed.data_sets.items()},
            answers=(*spice.values(), *direct),
            left_out=left_out,
            provenance={
                "summary": f"{self.origin}, read {read_at}",
                "Definition": f"QuickSight dashboard {deployed.dashboard_id}, version {deployed.version}, as deployed",
                "Rows": f"asked of Athena with the data sets' own queries, {read_at}",
                **more,
            },
        )
