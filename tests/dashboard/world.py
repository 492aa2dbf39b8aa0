"""An invented world for the dashboard: runs, scores and reports, answered as the data sets' queries would."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from local.dashboard.document import Answer, QueryParameter
from local.dashboard.document import Column as PageColumn
from local.dashboard.document import DataSet as PageDataSet
from local.dashboard.live import LiveDashboard
from local.dashboard.source import DeployedDashboard, DeployedDataSet
from stacks.dashboard.definition import definition
from stacks.dashboard.parts import Dashboard
from stacks.dashboard.report.data_sets import GAIN, LONGEST, LOSS
from stacks.dashboard.report.report_dashboard import report_dashboard
from stacks.dashboard.shared.data_sets import CHOSEN, COMPARED, NONE
from stacks.dashboard.shared.scores import ALL_SLICES
from tests.dashboard import choice_answers
from tests.dashboard.candidate_rows import (
    CANDIDATES,
    candidate_rows,
    clinical_error_rows,
    failure_rows,
)
from tests.dashboard.candidate_rows import QUALITY as CANDIDATE_QUALITY
from training.table_schemas import CANDIDATE_FAILURES, CLINICAL_ERRORS, PREDICTIONS, SCORES, Table
from training.table_schemas import CANDIDATES as CANDIDATES_TABLE

TASKS = ("radiology_impressions", "adverse_events")
TASK = TASKS[0]
NEWEST = "newest"
MODELS = ("pre-trained", "fine-tuned", "constant", "lead", "nearest", "consensus")
METRICS = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}
QUALITY = {
    "pre-trained": 0.12,
    "fine-tuned": 0.52,
    "constant": 0.40,
    "lead": 0.15,
    "nearest": 0.55,
    "consensus": 0.60,
}
_QUALITY = QUALITY | CANDIDATE_QUALITY
STEPS = ("Prepare", "StageModel", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate", "Gate")
_SENTENCE = (
    "the lungs are clear without focal opacity heart size is normal no pleural effusion or pneumothorax a small "
    "nodule in the left upper lobe mild atelectasis at the right base unchanged degenerative change of the spine"
)
_STARTED = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run that was evaluated."""

    run_id: str
    started_at: int
    number: int


@dataclass(frozen=True)
class World:
    """`runs` evaluated runs of the first task, and `records` reports in each evaluation set of every run. The first run
    is of a time when the task named no candidates.

    `texts` are taken for the first reports in place of invented ones.
    """

    runs: int = 3
    records: int = 60
    sets: tuple[str, ...] = ("dev1", "holdout")
    texts: tuple[str, ...] = ()
    total_rows: Mapping[str, int] = field(default_factory=dict)
    _written: dict[int, list[Row]] = field(default_factory=dict)

    @cached_property
    def evaluated(self) -> tuple[Run, ...]:
        return tuple(
            Run(f"run{number:04d}{'abcdef'[number % 6] * 4}", _milliseconds(number), number)
            for number in range(self.runs)
        )

    @cached_property
    def dashboard(self) -> Dashboard:
        return report_dashboard(TASKS)

    def deployed(self) -> DeployedDashboard:
        """As the stack deploys it."""
        dashboard = self.dashboard
        defaults = {one.name: one.default for one in dashboard.parameters}
        arns = {
            one.name: f"arn:aws:quicksight:us-east-1:000000000000:dataset/{one.name}" for one in dashboard.data_sets
        }
        return DeployedDashboard(
            dashboard_id="report-tuning",
            title=dashboard.title,
            version=1,
            definition=definition(dashboard, arns),
            theme=None,
            data_sets={
                one.name: DeployedDataSet(
                    one.name,
                    one.query("database"),
                    PageDataSet(
                        title=one.title,
                        mode="direct" if one.is_direct else "spice",
                        columns=tuple(PageColumn(column.name, column.kind.value) for column in one.columns),
                        parameters=tuple(QueryParameter(name, defaults[name]) for name in one.parameters),
                    ),
                )
                for one in dashboard.data_sets
            },
        )

    def live(self, deployed: DeployedDashboard | None = None) -> LiveDashboard:
        return LiveDashboard(
            deployed=deployed or self.deployed(),
            ask=self.answer,
            forget=lambda: None,
            renew=lambda: None,
            revision=lambda: str(self.runs),
            origin="An invented stage",
        )

    def answer(self, data_set: DeployedDataSet, parameters: Mapping[str, str]) -> Answer:
        rows = self.rows(data_set.identifier, parameters)
        columns = data_set.contents.columns
        values = tuple([row[column.name] for row in rows] for column in columns)
        total = self.total_rows.get(data_set.identifier, len(rows))
        return Answer(data_set.identifier, dict(parameters), columns, values, total)

    def rows(self, name: str, parameters: Mapping[str, str]) -> list[Row]:
        return list(getattr(self, f"_{name}")(**parameters))

    def _run(self, task: str, run: str) -> Run | None:
        if task != self.task or not self.evaluated:
            return None
        if run == NEWEST:
            return self.evaluated[-1]
        return next((one for one in self.evaluated if one.run_id == run), None)

    @property
    def task(self) -> str:
        """The task that has runs."""
        return self.dashboard.parameters[0].default

    def _runs(self) -> list[Row]:
        named = [(one.run_id, one) for one in self.evaluated]
        if self.evaluated:
            named.append((NEWEST, self.evaluated[-1]))
        return [
            {
                "task": self.task,
                "run": name,
                "compare": NONE if name == NEWEST else name,
                "run_id": run.run_id,
                "started_at": run.started_at,
                "status": "Succeeded",
                "gate": "passed" if run.number % 3 else "NOT passed",
                "gate_reasons": self._gate_reasons(run),
                "warnings": "No evaluation set was uploaded: a tenth was set aside." if run.number % 2 else None,
                "failed_step": None,
                "reason": None,
                "model_package": None,
                "data_fingerprint": f"{run.number:064x}",
                "uploaded": 2900 + run.number,
                "train": 2301 + run.number,
                "validation": 120,
                "quarantined": 4 + run.number,
                "duplicates": 475,
                "minutes": 6.5 + run.number / 10,
                "cost_dollars": None,
            }
            for name, run in named
        ]

    def _gate_reasons(self, run: Run) -> str:
        return _gate_reasons(0.5 + run.number / 1000)

    def _run_list(self) -> list[Row]:
        refused = [
            {
                "task": self.task, "run_id": "refused-0a1b2c3d", "started_at": _milliseconds(-1), "status": "Refused",
                "gate": "not reached", "why": "The upload has no field findings.", "uploaded": None, "train": None,
                "minutes": None, "cost_dollars": None,
            }
        ]  # fmt: skip
        listed = ("task", "run_id", "started_at", "status", "gate", "uploaded", "train", "minutes", "cost_dollars")
        done = [
            {**{name: row[name] for name in listed}, "why": row["gate_reasons"]}
            for row in self._runs()
            if row["run"] != NEWEST
        ]
        return done + (refused if self.runs else [])

    @cached_property
    def _measured(self) -> list[Row]:
        rows = []
        for run in self.evaluated:
            chance = random.Random(run.number)
            for evaluation_set in self.sets:
                for slice_ in ("all", "normal", "abnormal"):
                    for model in self._models(run):
                        for metric in (*METRICS, *(["abnormal_as_normal"] if slice_ == "abnormal" else [])):
                            mean = min(1.0, max(0.0, _QUALITY[model] + chance.uniform(-0.08, 0.08)))
                            rows.append(
                                {
                                    "task": self.task, "run_id": run.run_id, "started_at": run.started_at,
                                    "evaluation_set": evaluation_set, "slice": slice_, "model": model, "metric": metric,
                                    "records": self._answered(model), "mean": mean,
                                    "std": None if self.records == 1 else 0.21, "lowest": 0.0, "q1": mean * 0.6,
                                    "median": mean, "q3": mean * 1.3, "highest": 1.0, "low": mean - 0.02,
                                    "high": mean + 0.02, "distinct_predictions": chance.randint(1, 40),
                                }
                            )  # fmt: skip
        # The error on abnormal reports is shown of all reports too.
        return rows + [row | {"slice": "all"} for row in rows if row["metric"] == "abnormal_as_normal"]

    def scored(self, run: Run) -> list[Row]:
        """The rows that a run leaves in the table of scores."""
        names = {"count": "records", "min": "lowest", "max": "highest"}
        started = datetime.fromtimestamp(run.started_at / 1000, UTC)
        return [
            {column: row[names.get(column, column)] for column in SCORES.column_names if column != "started_at"}
            | {"started_at": started}
            for row in self._measured
            if row["run_id"] == run.run_id and (row["metric"], row["slice"]) != ("abnormal_as_normal", "all")
        ]

    def _history(self) -> list[Row]:
        names = ("task", "run_id", "started_at", "evaluation_set", "slice", "model", "metric", "mean")
        return [{name: row[name] for name in names} for row in self._measured if row["model"] not in CANDIDATE_QUALITY]

    def _scores(self) -> list[Row]:
        beside: dict[tuple[Any, ...], dict[str, float]] = {}
        keys = ("run_id", "evaluation_set", "slice", "metric")
        for row in self._measured:
            beside.setdefault(tuple(row[key] for key in keys), {})[row["model"]] = row["mean"]
        newest = self.evaluated[-1].run_id if self.evaluated else None
        rows = []
        for row in self._measured:
            is_candidate = row["model"] in CANDIDATE_QUALITY
            others = dict.fromkeys(MODELS) if is_candidate else beside[tuple(row[key] for key in keys)]
            title = METRICS.get(row["metric"], "abnormal called normal")
            more = {
                "kind": "candidate" if is_candidate else "model" if row["model"] in MODELS[:2] else "floor",
                "family": "ROUGE" if row["metric"] in METRICS else "error",
                "score": title,
                "set_and_score": f"{row['evaluation_set']} · {title}",
                "pretrained": others["pre-trained"],
                "fine_tuned": others["fine-tuned"],
                "constant_answer": others["constant"],
                "lead_sentences": others["lead"],
                "nearest_report": others["nearest"],
                "consensus": others["consensus"],
            }
            rows.append({**row, **more, "run": row["run_id"]})
            if row["run_id"] == newest:
                rows.append({**row, **more, "run": NEWEST})
        return rows

    def _models(self, run: Run) -> list[str]:
        """Whose answers a run has."""
        return [*MODELS, *(CANDIDATE_QUALITY if run.number else ())]

    def _answered(self, model: str) -> int:
        """Records of each evaluation set that a model or candidate answered."""
        candidate = next((one for one in CANDIDATES if one.name == model), None)
        return candidate.numbers(self.records)[1] if candidate else self.records

    def table(self, table: Table, run: Run) -> list[Row]:
        """The rows that a run leaves in a table by run."""
        if table is PREDICTIONS:
            return [row for report in self._predictions(run) for row in _answers_of(report)]
        if run.number == 0:
            return []
        started, chance = datetime.fromtimestamp(run.started_at / 1000, UTC), random.Random(2000 + run.number)
        if table is CANDIDATES_TABLE:
            return candidate_rows(chance, started, self.sets, self.records, QUALITY)
        if table is CANDIDATE_FAILURES:
            return failure_rows(started, self.sets, self.records)
        assert table is CLINICAL_ERRORS
        return clinical_error_rows(chance, self.table(PREDICTIONS, run))

    def _of(self, table: Table, task: str, run: str) -> list[Row]:
        found = self._run(task, run)
        return self.table(table, found) if found else []

    def _choice(self, task: str, run: str) -> list[Row]:
        return choice_answers.choice(self._of(CANDIDATES_TABLE, task, run))

    def _recommendation(self, task: str, run: str) -> list[Row]:
        sets = self.sets if self._run(task, run) else ()
        return choice_answers.recommendation(self._of(CANDIDATES_TABLE, task, run), sets)

    def _errors_by_rule(self, task: str, run: str) -> list[Row]:
        errors = self._of(CLINICAL_ERRORS, task, run)
        return choice_answers.errors_by_rule(self._of(CANDIDATES_TABLE, task, run), errors)

    def _candidate_failures(self, task: str, run: str) -> list[Row]:
        names = ("evaluation_set", "candidate", "reason", "records")
        return [{name: row[name] for name in names} for row in self._of(CANDIDATE_FAILURES, task, run)]

    def _before_and_after(self, task: str, run: str, example: str) -> list[Row]:
        errors = self._of(CLINICAL_ERRORS, task, run)
        return choice_answers.before_and_after(self._of(PREDICTIONS, task, run), errors, example)

    def _predictions(self, run: Run) -> list[Row]:
        """One row a report, each model's text and scores in it."""
        if run.number not in self._written:
            self._written[run.number] = self._write_predictions(run)
        return self._written[run.number]

    def _write_predictions(self, run: Run) -> list[Row]:
        chance = random.Random(1000 + run.number)
        rows = []
        for place, evaluation_set in enumerate(self.sets):
            for number in range(self.records):
                index = place * self.records + number
                given = self.texts[index] if index < len(self.texts) else None
                findings = given or _text(chance, 20, 70)
                # The dashboard shows impressions of up to 200 words, as its range is defined.
                doctor = given if given and len(given.split()) < 200 else _text(chance, 4, 30)
                models = [model for model in self._models(run) if number < self._answered(model)]
                answers = {model: _text(chance, 4, 25) for model in models}
                rows.append(
                    {
                        "record_id": f"{index:016x}",
                        "evaluation_set": evaluation_set,
                        "slice": "normal" if chance.random() < 0.4 else "abnormal",
                        "findings": findings,
                        "doctor": doctor,
                        "answers": answers,
                        "marked": given or _marked(doctor),
                        "marked_before": given or _marked(doctor, "the lungs are the lungs"),
                        "similar_reports": _similar(chance, number),
                        "scores": {
                            model: [_score(chance, _QUALITY[model] + shift) for shift in (0.0, -0.15, -0.02, -0.01)]
                            for model in models
                        },
                        "reads_as_normal": chance.random() < 0.5,
                    }
                )
        return rows

    def _record_scores(self, task: str, run: str, slice: str) -> list[Row]:
        found = self._run(task, run)
        rows = []
        for report in self._predictions(found) if found else []:
            if slice not in (ALL_SLICES, report["slice"]):
                continue
            for model in report["scores"]:
                rouge1, rouge2, rouge_l, rouge_lsum = report["scores"][model]
                rows.append(
                    {
                        "evaluation_set": report["evaluation_set"], "slice": report["slice"], "model": model,
                        "set_and_model": f"{report['evaluation_set']} · {model}", "rouge1": rouge1, "rouge2": rouge2,
                        "rouge_l": rouge_l, "rouge_lsum": rouge_lsum,
                    }
                )  # fmt: skip
        return rows

    def _reports(self, task: str, run: str, slice: str, order: str, search: str) -> list[Row]:
        found = self._run(task, run)
        rows = []
        for report in self._predictions(found) if found else []:
            before, after = report["scores"]["pre-trained"][2], report["scores"]["fine-tuned"][2]
            answers = report["answers"]
            texts = [report["findings"], report["doctor"], answers["fine-tuned"], answers["pre-trained"]]
            if slice not in (ALL_SLICES, report["slice"]) or search.lower() not in " ".join(texts).lower():
                continue
            missed = report["slice"] == "abnormal" and report["reads_as_normal"]
            rows.append(
                {
                    "record_id": report["record_id"], "evaluation_set": report["evaluation_set"],
                    "slice": report["slice"], "findings": report["findings"], "doctor": report["doctor"],
                    "pretrained": answers["pre-trained"], "fine_tuned": answers["fine-tuned"],
                    "marked": report["marked"], "similar_reports": report["similar_reports"],
                    "pretrained_score": before, "fine_tuned_score": after,
                    "gain": after - before, "input_words": len(report["findings"].split()),
                    "reference_words": len(report["doctor"].split()),
                    "length": min(len(report["doctor"].split()), LONGEST),
                    "remark": "abnormal, answered as normal" if missed else "",
                    "place": {GAIN: before - after, LOSS: after - before}.get(order, after),
                }
            )  # fmt: skip
        return choice_answers.in_places(rows)

    def _curve(self, task: str, run: str, compare: str) -> list[Row]:
        rows = []
        for series, name in ((CHOSEN, run), (COMPARED, compare)):
            found = self._run(task, name)
            if found is None:
                continue
            for step in range(10, 410, 10):
                loss = 1.2 + 3.4 / (1 + step / (60 + found.number * 5))
                rows.append({"series": f"{series}: training", "step": step, "epoch": step / 100, "loss": loss})
                if step % 100 == 0:
                    row = {"series": f"{series}: validation", "step": step, "epoch": step / 100, "loss": loss + 0.2}
                    rows.append(row)
        return rows

    def _steps(self, task: str, run: str, compare: str) -> list[Row]:
        return [
            {
                "series": series, "step": step, "place": place, "status": "Succeeded",
                "seconds": 3.5 * place + found.number, "cost_dollars": None, "instance_type": "local", "failure": None,
            }
            for series, name in ((CHOSEN, run), (COMPARED, compare))
            if (found := self._run(task, name))
            for place, step in enumerate(STEPS, start=1)
        ]  # fmt: skip

    def _parameters(self, task: str, run: str, compare: str) -> list[Row]:
        chosen, compared = self._run(task, run), self._run(task, compare)
        if chosen is None:
            return []
        rows = []
        for place in range(18):
            mine = f"{place + chosen.number % 2}"
            other = None if compared is None else f"{place + compared.number % 2}"
            differs = "" if other in (None, mine) else "differs"
            rows.append({"name": f"parameter_{place:02d}", "chosen": mine, "compared": other, "difference": differs})
        return rows

    def _data_flow(self, task: str, run: str) -> list[Row]:
        found = self._run(task, run)
        if found is None:
            return []
        flow: list[tuple[str, str, str | None, int]] = [
            ("training data", "trained on", None, 2301 + found.number),
            ("training data", "validation", None, 120),
            ("training data", "duplicate", None, 475),
            ("training data", "quarantined", "no impression", 3),
            ("training data", "quarantined", "the line is not JSON", 1 + found.number),
        ]
        for name in self.sets:
            flow += [(name, "evaluated", None, self.records), (name, "removed", "its findings were trained on", 12)]
        return [
            {
                "part": part, "outcome": outcome, "what": outcome if reason is None else f"{outcome}: {reason}",
                "reason": reason or "", "records": records,
            }
            for part, outcome, reason, records in flow
        ]  # fmt: skip

    def _lengths(self, task: str, run: str) -> list[Row]:
        found = self._run(task, run)
        if found is None:
            return []
        return [
            {
                "split": split,
                "field": name,
                "words_from": words,
                "records": max(1, (300 - (words - 40) ** 2 // 8) // part),
            }
            for part, split in ((1, "train"), (9, "validation"))
            for name, longest in (("input", 110), ("target", 60))
            for words in range(0, longest, 10)
        ]


def _gate_reasons(mean: float) -> str:
    """As many as the gate gives about one evaluation set, and as long."""
    floors = {"constant-answer": 0.16, "lead-sentences": 0.35, "nearest-report": -0.03, "consensus": -0.04}
    reasons = [
        f"Set dev1: the fine-tuned model is {'better' if gain > 0 else 'worse'} than the {name} floor (ROUGE-L "
        f"{mean:.3f} against {mean - gain:.3f}; difference {gain:+.3f}, 95 % interval {gain - 0.02:+.3f} to "
        f"{gain + 0.02:+.3f}, 265 records)."
        for name, gain in floors.items()
    ]
    return "\n".join(
        [
            *reasons,
            f"Set dev1: the fine-tuned model is better than the pre-trained model (ROUGE-L {mean:.3f} against 0.129).",
            "Set dev1: the fine-tuned model is worse than what similar reports agree on: this blocks. The task "
            "can serve that itself, with generation.method: consensus.",
            "There is no model in service to compare with.",
        ]
    )


def _milliseconds(number: int) -> int:
    return round((_STARTED + timedelta(hours=31 * number)).timestamp() * 1000)


def _text(chance: random.Random, least: int, most: int) -> str:
    all_words = _SENTENCE.split()
    start = chance.randrange(len(all_words))
    words = [all_words[(start + step * 7) % len(all_words)] for step in range(chance.randint(least, most))]
    return " ".join(words).capitalize() + "."


def _marked(doctor: str, added: str = "no acute disease") -> str:
    words = doctor.split()
    middle = len(words) // 2
    return f"{' '.join(words[:middle])} ⟦−{' '.join(words[middle:])}⟧ ⟦+{added}⟧"


def _answers_of(report: Row) -> list[Row]:
    """Rows of the table of predictions."""
    rows = []
    for model, prediction in report["answers"].items():
        rouge1, rouge2, rouge_l, rouge_lsum = report["scores"][model]
        rows.append(
            {
                **{name: report[name] for name in ("record_id", "evaluation_set", "slice", "reads_as_normal")},
                "model": model, "input": report["findings"], "reference": report["doctor"], "prediction": prediction,
                "marked": report["marked_before" if model == "pre-trained" else "marked"],
                "input_words": len(report["findings"].split()), "reference_words": len(report["doctor"].split()),
                "prediction_words": len(prediction.split()), "rouge1": rouge1, "rouge2": rouge2, "rouge_l": rouge_l,
                "rouge_lsum": rouge_lsum, "probability": None, "threshold": None,
            }
        )  # fmt: skip
    return rows


def _similar(chance: random.Random, number: int) -> str:
    """What a report's answers rested on; nothing for some, as nothing is similar to their findings."""
    ranks = (1, 2, 3, 9) if number % 7 else ()
    lines = (
        f"{rank} · {0.9 - rank / 20:.2f} · {chance.getrandbits(64):016x}{' · consensus' if rank == ranks[-1] else ''}: "
        f"{_text(chance, 3, 12)}"
        for rank in ranks
    )
    return "\n".join(lines)


def _score(chance: random.Random, middle: float) -> float:
    return float(np.clip(chance.gauss(middle, 0.2), 0.0, 1.0))
