"""An invented world for the dashboard of adverse events: the rows of its tables, and what each query answers to them,
computed here without SQL."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from stacks.dashboard.events.event_dashboard import event_dashboard
from stacks.dashboard.parts import Dashboard
from tests.dashboard.event_rows import (
    NEGATIVE,
    POSITIVE,
    event_rows,
    precision_recall_rows,
    prediction_rows,
    review_rows,
    score_rows,
    search_rows,
    synthetic_rows,
)
from tests.dashboard.world import NEWEST, Row, Run, World
from training.table_schemas import (
    ALL_POSITIVE,
    BASE,
    FINE_TUNED,
    PRECISION_RECALL,
    PREDICTIONS,
    SEARCH_JOBS,
    SYNTHETIC_EXAMPLES,
    TFIDF,
    WITHOUT_SYNTHETIC,
    Table,
)

LABELS = {"adverse_events": POSITIVE, "it's another task": "Yes, it's one"}
TITLES = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
    "auroc": "AUROC",
    "brier": "Brier score",
    "calibration_error": "calibration error",
}
LOWER_IS_BETTER = ("brier", "calibration_error")
_ORDER = (FINE_TUNED, BASE, WITHOUT_SYNTHETIC, TFIDF, ALL_POSITIVE)


@dataclass(frozen=True)
class EventWorld(World):
    """`texts` that came in are `incoming` many; the newest run has one evaluation set where `sets` names one."""

    incoming: int = 400
    days: int = 30
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @cached_property
    def dashboard(self) -> Dashboard:
        return event_dashboard(LABELS)

    @cached_property
    def events(self) -> list[Row]:
        return event_rows(self.today, self.incoming, self.days)

    @cached_property
    def reviews(self) -> list[Row]:
        return review_rows(self.events)

    def table(self, table: Table, run: Run) -> list[Row]:
        """The rows that a run leaves in a table by run."""
        started = datetime.fromtimestamp(run.started_at / 1000, UTC)
        if table is PREDICTIONS:
            return self._predicted(run)
        if table is PRECISION_RECALL:
            return precision_recall_rows(self._predicted(run))
        if table is SEARCH_JOBS:
            return search_rows(run.number, started)
        assert table is SYNTHETIC_EXAMPLES
        return synthetic_rows(run.number, started)

    def scored(self, run: Run) -> list[Row]:
        """The rows that a run leaves in the table of scores."""
        started = datetime.fromtimestamp(run.started_at / 1000, UTC)
        return score_rows(run.number, run.run_id, started, self.sets, self.records)

    def _predicted(self, run: Run) -> list[Row]:
        if run.number not in self._written:
            self._written[run.number] = prediction_rows(run.number, self.sets, self.records)
        return self._written[run.number]

    @cached_property
    def _measured(self) -> list[Row]:
        return [
            {**row, "task": self.task, "records": row["count"], "started_at": run.started_at}
            for run in self.evaluated
            for row in self.scored(run)
        ]

    def _gate_reasons(self, run: Run) -> str:
        f1 = 0.7 + run.number / 300
        floors = {"TF-IDF floor": 0.62, "all-positive floor": 0.41, "base model": 0.59}
        return "\n".join(
            [
                *(
                    f"Set holdout: the fine-tuned model is better than the {name} (F1 {f1:.3f} against {other:.3f}; "
                    f"difference +{f1 - other:.3f}, 95 % interval +{f1 - other - 0.03:.3f} to "
                    f"+{f1 - other + 0.03:.3f}, {self.records // 3} positive records)."
                    for name, other in floors.items()
                ),
                "There is no model in service to compare with.",
            ]
        )

    def _event_scores(self) -> list[Row]:
        means = {(r["run_id"], r["evaluation_set"], r["metric"], r["model"]): r["mean"] for r in self._measured}
        names = (BASE, FINE_TUNED, WITHOUT_SYNTHETIC, TFIDF, ALL_POSITIVE)
        columns = ("base", "fine_tuned", "without_synthetic", "tfidf", "all_positive")
        rows = []
        for row in self._measured:
            place = (row["run_id"], row["evaluation_set"], row["metric"])
            beside = {column: means.get((*place, name)) for column, name in zip(columns, names, strict=True)}
            compared = row["model"] in (FINE_TUNED, WITHOUT_SYNTHETIC) and beside["without_synthetic"] is not None
            title = TITLES[row["metric"]]
            kept = ("task", "evaluation_set", "slice", "model", "metric", "records", "low", "high")
            answer = {name: row[name] for name in kept} | beside
            answer |= {
                "kind": "floor" if row["model"] in (TFIDF, ALL_POSITIVE) else "model",
                "better": "lower is better" if row["metric"] in LOWER_IS_BETTER else "higher is better",
                "beside_synthetic": "yes" if compared else "no",
                "score": title,
                "set_and_score": f"{row['evaluation_set']} · {title}",
                "value": row["mean"],
                "score_place": 1 + list(TITLES).index(row["metric"]),
                "place": f"{row['evaluation_set']} {1 + list(TITLES).index(row['metric'])}"
                f"{1 + _ORDER.index(row['model'])}",
            }
            rows += [answer | {"run": name} for name in self._names(row["run_id"])]
        return rows

    def _names(self, run_id: str) -> list[str]:
        return [run_id, *([NEWEST] if run_id == self.evaluated[-1].run_id else [])]

    def _recent(self, task: str) -> list[Row]:
        first = self.today - timedelta(days=89)
        return [row for row in self.events if task == self.task and row["arrived_at"].date() >= first]

    def _event_totals(self, task: str) -> list[Row]:
        texts = self._recent(task)
        events = sum(row["label"] == POSITIVE for row in texts)
        return [
            {
                "texts": len(texts),
                "events": events,
                "share": events / len(texts) if texts else None,
                "notices": sum(row["notified"] for row in texts),
            }
        ]

    def _event_days(self, task: str) -> list[Row]:
        texts = [
            {**row, "source": "files" if source.startswith("file-") else source}
            for row in self._recent(task)
            for source in [row["source"] or "no source named"]
        ]
        if not texts:
            return []
        of_source = Counter(dict.fromkeys((row["source"] for row in texts), 0))
        of_source.update(row["source"] for row in texts if row["label"] == POSITIVE)
        first = sorted(of_source, key=lambda source: (-of_source[source], source))[:5]
        counted: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
        for row in texts:
            source = row["source"] if row["source"] in first else "other sources"
            counted[row["arrived_at"].date(), source][0] += row["label"] == POSITIVE
            counted[row["arrived_at"].date(), source][1] += 1
        begin = min(row["arrived_at"].date() for row in texts)
        span = [begin + timedelta(days=ago) for ago in range((self.today - begin).days + 1)]
        return [
            {"arrived_on": _midnight(day), "source": source, "events": events, "texts": count}
            for day in span
            for source in sorted({source for _, source in counted})
            for events, count in [counted.get((day, source), [0, 0])]
        ]

    def _event_rate(self, task: str) -> list[Row]:
        by_day: dict[date, list[bool]] = defaultdict(list)
        for row in self._recent(task):
            by_day[row["arrived_at"].date()].append(row["label"] == POSITIVE)
        everything = [one for day in by_day.values() for one in day]
        rows = []
        for day, found in by_day.items():
            center = sum(everything) / len(everything)
            width = 3 * math.sqrt(center * (1 - center) / len(found))
            lines = {
                "share of events": sum(found) / len(found),
                "center": center,
                "upper limit": min(1.0, center + width),
                "lower limit": max(0.0, center - width),
            }
            rows += [{"arrived_on": _midnight(day), "line": line, "value": value} for line, value in lines.items()]
        return rows

    def _event_mentions(self, task: str) -> list[Row]:
        counted: dict[str, Counter[str]] = {"drug": Counter(), "effect": Counter(), "kind": Counter()}
        for row in self._recent(task):
            if row["label"] == POSITIVE:
                counted["drug"].update(name for name in row["drugs"].split("; ") if name)
                counted["effect"].update(name for name in row["effects"].split("; ") if name)
                counted["kind"][row["kind"] or "no effect named"] += 1
        return [
            {"what": what, "name": name, "events": names[name]}
            for what, names in counted.items()
            for name in sorted(names, key=lambda name: (-names[name], name))[:12]
        ]

    def _newest_events(self, task: str, incoming: str, searched: str) -> list[Row]:
        said = {(row["event_id"], row["source"]): row["verdict"] for row in self.reviews}
        listed = [
            {
                **{name: row[name] for name in ("event_id", "source", "text", "label", "probability", "model_version")},
                **{name: row[name] for name in ("drugs", "effects")},
                "kind": row["kind"] or "",
                "icd10": row["icd10"] or "",
                "arrived_at": _milliseconds(row["arrived_at"]),
                "happened_at": row["happened_at"] and _milliseconds(row["happened_at"]),
                "notice": "sent" if row["notified"] else "",
                "review": said.get((row["event_id"], row["source"]), ""),
            }
            for row in self._recent(task)
            if (incoming == "all texts" or row["label"] == POSITIVE)
            and searched.lower() in f"{row['text']} {row['drugs']} {row['effects']}".lower()
        ]
        return sorted(listed, key=lambda row: (-row["arrived_at"], row["event_id"]))[:1000]

    def _precision_recall(self, task: str, run: str) -> list[Row]:
        points = self._of(PRECISION_RECALL, task, run)
        rows = []
        for row in points:
            curve = self._curve_name(points, row)
            point = {name: row[name] for name in ("evaluation_set", "model", "recall", "precision")}
            rows.append({**point, "curve": curve})
            if row["chosen"] and row["model"] in (BASE, FINE_TUNED, WITHOUT_SYNTHETIC):
                rows.append({**point, "curve": f"{curve}, chosen"})
        return rows

    @staticmethod
    def _curve_name(rows: Iterable[Mapping[str, Any]], row: Mapping[str, Any]) -> str:
        several = len({one["evaluation_set"] for one in rows}) > 1
        return f"{row['evaluation_set']} · {row['model']}" if several else str(row["model"])

    def _calibration(self, task: str, run: str) -> list[Row]:
        answers = [row for row in self._of(PREDICTIONS, task, run) if row["model"] != ALL_POSITIVE]
        bins: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
        for row in answers:
            bins[row["evaluation_set"], row["model"], min(9, int(row["probability"] * 10))].append(row)
        rows = [
            {
                "evaluation_set": evaluation_set,
                "model": model,
                "curve": self._curve_name(answers, of[0]),
                "probability": sum(row["probability"] for row in of) / len(of),
                "share": sum(row["reference"] == POSITIVE for row in of) / len(of),
                "records": len(of),
            }
            for (evaluation_set, model, _), of in bins.items()
        ]
        diagonal = {"model": FINE_TUNED, "curve": "perfectly calibrated", "records": None}
        return rows + [
            {**diagonal, "evaluation_set": name, "probability": tenth / 10, "share": tenth / 10}
            for name in sorted({row["evaluation_set"] for row in answers})
            for tenth in range(11)
        ]

    def _confusion(self, task: str, run: str) -> list[Row]:
        groups: dict[tuple[str, str, float, str], list[Row]] = defaultdict(list)
        for row in self._of(PREDICTIONS, task, run):
            groups[row["evaluation_set"], row["model"], row["threshold"], row["reference"]].append(row)
        return [
            {
                "evaluation_set": evaluation_set,
                "model": model,
                "threshold": threshold,
                "reference": reference,
                "called_event": sum(row["prediction"] == POSITIVE for row in of),
                "called_none": sum(row["prediction"] == NEGATIVE for row in of),
                "share_right": sum(row["prediction"] == reference for row in of) / len(of),
                "place": f"{evaluation_set} {1 + _ORDER.index(model)}{1 if reference == POSITIVE else 2}",
            }
            for (evaluation_set, model, threshold, reference), of in groups.items()
        ]

    def _event_answers(self, task: str, run: str, order: str, judged: str, search: str) -> list[Row]:
        predictions = self._of(PREDICTIONS, task, run)
        base = {
            (row["record_id"], row["evaluation_set"]): row["probability"] for row in predictions if row["model"] == BASE
        }
        first = {"missed first": "missed", "false alarms first": "false alarm"}.get(order)
        rows = []
        for row in predictions:
            right = row["reference"] == row["prediction"]
            if row["model"] != FINE_TUNED or (right and judged == "mistakes"):
                continue
            if search.lower() not in row["input"].lower():
                continue
            verdict = "right" if right else "missed" if row["reference"] == POSITIVE else "false alarm"
            distance = abs(row["probability"] - (row["reference"] == POSITIVE))
            kept = ("record_id", "evaluation_set", "reference", "prediction", "probability", "threshold")
            rows.append(
                {name: row[name] for name in kept}
                | {
                    "text": row["input"],
                    "verdict": verdict,
                    "base_probability": base[row["record_id"], row["evaluation_set"]],
                    "distance": distance,
                    "place": (-2.0 if verdict == first else 0.0) - distance,
                }
            )
        return rows

    def _search_jobs(self, task: str, run: str) -> list[Row]:
        same = ("job", "status", "objective", "learning_rate", "max_seq_length", "train_batch_size", "model_name")
        return [
            {name: row[name] for name in same}
            | {
                "place": "best" if row["best"] else "without a result" if row["objective"] is None else "others",
                "best_objective": row["objective"] if row["best"] else None,
                "stopped": "stopped early" if row["early_stopped"] else "",
                "learning_rate_millionths": row["learning_rate"] * 1e6,
                "minutes": None if row["seconds"] is None else row["seconds"] / 60,
                "failure": row["failure"] or "",
                "jobs": 1,
            }
            for row in self._of(SEARCH_JOBS, task, run)
        ]

    def _synthetic_outcomes(self, task: str, run: str) -> list[Row]:
        counted = Counter((row["kept"], row["reason"]) for row in self._of(SYNTHETIC_EXAMPLES, task, run))
        return [
            {
                "fate": "kept" if kept else "dropped",
                "outcome": "kept" if kept else f"dropped: {reason}",
                "texts": texts,
            }
            for (kept, reason), texts in counted.items()
        ]

    def _synthetic_texts(self, task: str, run: str) -> list[Row]:
        return [
            {
                "synthetic_id": row["synthetic_id"],
                "text": row["text"],
                "fate": "kept" if row["kept"] else "dropped",
                "reason": row["reason"] or "",
                "probability": row["first_model_probability"],
                "provider": row["provider"],
                "written_by": row["model"],
            }
            for row in self._of(SYNTHETIC_EXAMPLES, task, run)
        ]


def _midnight(day: date) -> int:
    return _milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
