"""One evaluation set with every way of answering it: the task's own models, its candidates and the floors.

A way that answered only some of the records is scored on those, and set against another on the records that both
answered.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np

from training.candidate_results import CandidateResult, Cost
from training.candidates.report import COMPLETE, FAILED, PARTIAL
from training.choice import Choice, Contestant, Limits, choose
from training.clinical_checks import ClinicalError, InputFacts, clinical_errors
from training.evaluation_inputs import EvaluationRecord
from training.scored_set import Answers, ScoredSet, answer_warnings, score_set
from training.statistics import BoolArray, FloatArray, mean_intervals, paired_difference
from training.table_schemas import FINE_TUNED, FLOORS, PRETRAINED

FLOOR = "floor"
_EMPTY = "the answer is empty: nothing was written, or the text was refused as too long"
_OWN_KINDS = {PRETRAINED: PRETRAINED, FINE_TUNED: "fine_tuned", **dict.fromkeys(FLOORS, FLOOR)}


@dataclass(frozen=True)
class Way:
    """One way of answering a set. `scored` holds it alone, on the records that it answered, which stand at `places` in
    the set; it is None where there is no answer. `errors` (answered,) are what the rules object to in each answer, and
    `failures` how many records have no answer for each reason."""

    name: str
    kind: str
    asked: int
    failure: str | None
    failures: Counter[str]
    cost: Cost
    places: Sequence[int]
    scored: ScoredSet | None
    errors: Sequence[Sequence[ClinicalError]]

    @property
    def answers(self) -> Answers | None:
        """Its answers and their scores."""
        return None if self.scored is None else self.scored.models[self.name]

    @property
    def erroneous(self) -> FloatArray:
        """1 for each answer with a clinical error, else 0: (answered,)."""
        return np.array([bool(errors) for errors in self.errors], dtype=np.float64)

    @property
    def status(self) -> str:
        """As in the table `candidates`."""
        if len(self.places) == self.asked and self.failure is None:
            return COMPLETE
        return PARTIAL if self.places else FAILED

    @property
    def reason(self) -> str | None:
        """Why it is not complete, in one sentence."""
        if self.failure is not None or self.status == COMPLETE:
            return self.failure
        ((reason, _),) = self.failures.most_common(1)
        return f"{self.asked - len(self.places)} of {self.asked} records have no answer; most often: {reason}"

    def contestant(self, records: int) -> Contestant:
        """In arrays over all `records` of the set."""
        answered: BoolArray = np.zeros(records, dtype=np.bool_)
        answered[list(self.places)] = True
        rouge_l, erroneous = np.full(records, np.nan), np.full(records, np.nan)
        if self.answers is not None:
            rouge_l[answered], erroneous[answered] = self.answers.rouge_l, self.erroneous
        return Contestant(
            name=self.name,
            is_floor=self.kind == FLOOR,
            asked=self.asked,
            failure=self.failure,
            answered=answered,
            rouge_l=rouge_l,
            erroneous=erroneous,
            cost=self.cost,
        )


@dataclass(frozen=True)
class ComparedSet:
    """`own` holds the task's models and the floors together; `ways` every way, candidates between both; `references`
    are what the rules object to in each reference."""

    own: ScoredSet
    ways: Sequence[Way]
    references: Sequence[Sequence[ClinicalError]]
    choice: Choice

    @classmethod
    def of(
        cls,
        own: ScoredSet,
        candidates: Sequence[CandidateResult],
        costs: Mapping[str, Cost],
        limits: Limits,
        workers: int,
        seed: int,
    ) -> Self:
        """Compare on the records of `own`; `costs` are those of the task's own models, by their names."""
        records = own.records
        answers = {
            **{
                model: {place: text for place, text in enumerate(each.predictions) if text.strip() or model in FLOORS}
                for model, each in own.models.items()
            },
            **{each.name: _by_place(each.answers[own.name], records) for each in candidates},
        }
        errors, references = _clinical_errors(records, answers)
        found = {each.name: each for each in candidates}
        models = [model for model in own.models if model not in FLOORS]
        ways = [
            _candidate_way(own.name, records, found[name], answers[name], errors[name], workers)
            if name in found
            else _own_way(own, name, answers[name], errors[name], costs.get(name, Cost()), workers)
            for name in (*models, *found, *FLOORS)
        ]
        choice = choose([way.contestant(len(records)) for way in ways], limits, seed)
        return cls(own, ways, references, choice)

    @property
    def tuned(self) -> Way:
        """The fine-tuned model."""
        (tuned,) = (way for way in self.ways if way.name == FINE_TUNED)
        return tuned

    @property
    def tuned_errors(self) -> BoolArray:
        """(records,) whether the rules object to the fine-tuned model's answer; not where it is empty."""
        erroneous = self.tuned.contestant(len(self.own.records)).erroneous
        return np.nan_to_num(erroneous) > 0

    @property
    def of_candidates(self) -> list[ScoredSet]:
        """What each candidate with answers answered."""
        return [way.scored for way in self.ways if way.scored is not None and way.name not in self.own.models]

    def candidate_rows(self, started_at: datetime, seed: int) -> Iterator[dict[str, Any]]:
        """Rows of the table `candidates`."""
        tuned = self.tuned
        for way in self.ways:
            yield {
                "started_at": started_at,
                "evaluation_set": self.own.name,
                "candidate": way.name,
                "kind": way.kind,
                "status": way.status,
                "reason": way.reason,
                "asked": way.asked,
                "answered": len(way.places),
                **_measured(way, tuned, seed),
                "seconds_per_1000": way.cost.seconds_per_1000,
                "dollars_per_1000": way.cost.dollars_per_1000,
                "needs": "; ".join(way.cost.needs),
                "leaves_account": way.cost.leaves_account,
                "recommended": way.name == self.choice.recommended,
                "verdict": self.choice.verdicts[way.name],
            }

    def failure_rows(self, started_at: datetime) -> Iterator[dict[str, Any]]:
        """Rows of the table `candidate_failures`, the commonest reason first."""
        for way in self.ways:
            for reason, count in way.failures.most_common():
                yield {
                    "started_at": started_at,
                    "evaluation_set": self.own.name,
                    "candidate": way.name,
                    "reason": reason,
                    "records": count,
                }

    def error_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of the table `clinical_errors`."""
        for way in self.ways:
            for place, errors in zip(way.places, way.errors, strict=True):
                for error in errors:
                    yield {
                        "record_id": self.own.records[place].id,
                        "evaluation_set": self.own.name,
                        "model": way.name,
                        "check": error.check,
                        "passage": error.passage,
                    }

    def warnings(self) -> Iterator[str]:
        """What a reader of the comparison must know besides its rows."""
        name = self.own.name
        if self.choice.recommended is None:
            yield f"Set {name}: nothing is recommended; the verdicts say why."
        objected = sum(map(bool, self.references))
        if objected:
            yield (
                f"Set {name}: the rules find a clinical error in {objected} of {len(self.references)} reference "
                "summaries too, so read the shares of clinical errors against that."
            )
        yield from _longer(name, "reference summaries", self.own.records, [each.target for each in self.own.records])
        for way in self.ways:
            if way.kind != FLOOR:
                yield from self._way_warnings(way)

    def _way_warnings(self, way: Way) -> Iterator[str]:
        if way.reason is not None:
            yield f"Set {self.own.name}: {way.name} is {way.status}: {way.reason.rstrip('.')}."
        if way.scored is not None:
            yield from answer_warnings(way.scored, way.name, way.name)
            texts = way.scored.models[way.name].predictions
            yield from _longer(self.own.name, f"answers by {way.name}", way.scored.records, texts)


def _by_place(answers: Mapping[str, str], records: Sequence[EvaluationRecord]) -> dict[int, str]:
    return {place: answers[record.id] for place, record in enumerate(records) if record.id in answers}


def _clinical_errors(
    records: Sequence[EvaluationRecord], answers: Mapping[str, Mapping[int, str]]
) -> tuple[dict[str, list[list[ClinicalError]]], list[list[ClinicalError]]]:
    """What the rules object to: of each way for each of its answers, and in the references. An input is read once."""
    of_answers: dict[str, list[list[ClinicalError]]] = {name: [] for name in answers}
    of_references = []
    for place, record in enumerate(records):
        facts = InputFacts.read(record.input)
        of_references.append(clinical_errors(facts, record.target))
        for name, texts in answers.items():
            if place in texts:
                of_answers[name].append(clinical_errors(facts, texts[place]))
    return of_answers, of_references


def _own_way(
    own: ScoredSet,
    name: str,
    answers: Mapping[int, str],
    errors: Sequence[Sequence[ClinicalError]],
    cost: Cost,
    workers: int,
) -> Way:
    """A model of the task's own is held to what a candidate is: an empty answer is none."""
    count = len(own.records)
    empty = count - len(answers)
    if not empty:
        return Way(name, _OWN_KINDS[name], count, None, Counter(), cost, range(count), own, errors)
    scored = _scored(own.name, own.records, name, answers, workers)
    return Way(name, _OWN_KINDS[name], count, None, Counter({_EMPTY: empty}), cost, list(answers), scored, errors)


def _candidate_way(
    evaluation_set: str,
    records: Sequence[EvaluationRecord],
    candidate: CandidateResult,
    answers: Mapping[int, str],
    errors: Sequence[Sequence[ClinicalError]],
    workers: int,
) -> Way:
    name = candidate.name
    scored = _scored(evaluation_set, records, name, answers, workers)
    asked, failures = candidate.asked[evaluation_set], candidate.failures[evaluation_set]
    return Way(name, candidate.kind, asked, candidate.failure, failures, candidate.cost, list(answers), scored, errors)


def _scored(
    evaluation_set: str, records: Sequence[EvaluationRecord], name: str, answers: Mapping[int, str], workers: int
) -> ScoredSet | None:
    """The answers, by place of their record, as a set of their own; None where there are none."""
    chosen = [records[place] for place in answers]
    return score_set(evaluation_set, chosen, {name: list(answers.values())}, workers) if chosen else None


def _measured(way: Way, tuned: Way, seed: int) -> dict[str, float | int | None]:
    """The columns of `candidates` that its answers decide, each None where there is no answer."""
    columns: dict[str, float | int | None] = dict.fromkeys(
        f"{name}{end}" for name in ("rouge_l", "clinical_errors", "against_fine_tuned") for end in ("", "_low", "_high")
    )
    columns["distinct_predictions"] = 0
    if way.answers is None or tuned.answers is None:
        return columns
    values = np.column_stack([way.answers.rouge_l, way.erroneous])
    lows, highs = mean_intervals(values, seed)
    for i, name in enumerate(("rouge_l", "clinical_errors")):
        columns |= {name: float(values[:, i].mean()), f"{name}_low": float(lows[i]), f"{name}_high": float(highs[i])}
    columns["distinct_predictions"] = len(set(way.answers.predictions))
    if way is tuned:
        return columns
    theirs = dict(zip(tuned.places, tuned.answers.rouge_l, strict=True))
    shared = [place in theirs for place in way.places]
    if not any(shared):
        return columns
    ours = way.answers.rouge_l[shared]
    difference = paired_difference(ours, np.array([theirs[p] for p in way.places if p in theirs]), seed)
    ends = {"": difference.mean, "_low": difference.low, "_high": difference.high}
    return columns | {f"against_fine_tuned{end}": value for end, value in ends.items()}


def _longer(evaluation_set: str, what: str, records: Sequence[EvaluationRecord], texts: Sequence[str]) -> Iterator[str]:
    """A summary that is longer than what it summarises is none."""
    longer = sum(len(text.split()) > len(record.input.split()) for text, record in zip(texts, records, strict=True))
    if longer:
        yield f"Set {evaluation_set}: {longer} of {len(texts)} {what} have more words than their notes."
