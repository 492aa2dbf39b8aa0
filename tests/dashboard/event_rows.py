"""Invented rows of the tables that a task that finds adverse events leaves behind, as training/table_schemas.py has
them."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from training.classification_metrics import METRICS
from training.table_schemas import ALL, ALL_POSITIVE, CLASSIFIERS, PREDICTIONS, SCORES

Row = dict[str, Any]
POSITIVE, NEGATIVE = "Adverse_Event", "Not_AE"
THRESHOLDS = {"base": 0.4, "fine-tuned": 0.55, "without synthetic": 0.5, "tf-idf": 0.3, ALL_POSITIVE: 0.5}
# How far a model tells events from others; 0 not at all.
_SKILL = {"base": 0.12, "fine-tuned": 0.28, "without synthetic": 0.25, "tf-idf": 0.18, ALL_POSITIVE: 0.0}
_DRUGS = ("amiodarone", "methotrexate", "lithium", "isoniazid", "vancomycin", "warfarin", "ibuprofen", "cisplatin")
_EFFECTS = {
    "rash": "skin", "pruritus": "skin", "hepatitis": "liver", "nausea": "digestion", "bradycardia": "heart",
    "tremor": "nerves", "anaemia": "blood",
}  # fmt: skip
# More than have a colour of their own.
SOURCES = ("ward", "clinic", "registry", "literature", "hotline", "pharmacy", "file-0a1b2c", "file-9f8e7d")
_ENCODERS = ("biobert", "minilm")


def sentence(chance: random.Random, is_event: bool) -> tuple[str, str, list[str]]:
    """A text with the drug and the effects that it names; texts that are no event mostly name no effect."""
    drug = chance.choice(_DRUGS)
    effects = chance.sample(sorted(_EFFECTS), chance.choice((1, 1, 2)) if is_event else chance.choice((0, 0, 1)))
    if is_event:
        return f"The patient developed {' and '.join(effects)} after {drug} was started.", drug, effects
    return f"{drug.capitalize()} was continued{' for ' + effects[0] if effects else ''} as before.", drug, effects


def event_rows(today: date, texts: int, days: int) -> list[Row]:
    """`texts` that arrived on some of the `days` up to yesterday, and some before what is looked at."""
    chance = random.Random(5)
    rows = []
    for number in range(texts):
        is_event = chance.random() < 0.3
        text, drug, effects = sentence(chance, is_event)
        probability = min(1.0, max(0.0, chance.gauss(0.8 if is_event else 0.15, 0.15)))
        ago = chance.randrange(1, days) if number % 10 else 200
        arrived = datetime.combine(today - timedelta(days=ago), time(), UTC) + timedelta(seconds=number * 37 % 86_000)
        kinds = [_EFFECTS[effect] for effect in effects]
        label = POSITIVE if probability >= THRESHOLDS["fine-tuned"] else NEGATIVE
        rows.append(
            {
                "event_id": f"event-{number:05d}",
                "source": SOURCES[min(chance.randrange(len(SOURCES)), chance.randrange(len(SOURCES)))],
                "happened_at": None if number % 3 else arrived - timedelta(hours=4),
                "arrived_at": arrived,
                "written_at": arrived + timedelta(seconds=20),
                "text": text,
                "label": label,
                "probability": probability,
                "model_version": f"adverse-events/{1 + (ago < days // 2)}",
                "drugs": drug if number % 7 else f"{drug}; {chance.choice([one for one in _DRUGS if one != drug])}",
                "effects": "; ".join(effects),
                "kind": kinds[0] if kinds else None,
                "icd10": None,
                "notified": label == POSITIVE and probability > 0.8,
            }
        )
    return rows


def review_rows(events: Sequence[Row]) -> list[Row]:
    """What people said of every ninth event: mostly that the model was right."""
    rows = []
    for number, event in enumerate(events[::9]):
        rejected = number % 4 == 3
        other = NEGATIVE if event["label"] == POSITIVE else POSITIVE
        rows.append(
            {name: event[name] for name in ("event_id", "source", "probability", "model_version")}
            | {
                "verdict": "rejected" if rejected else "confirmed",
                "label": other if rejected else event["label"],
                "model_label": event["label"],
                "reviewed_at": event["arrived_at"] + timedelta(days=1),
                "reviewer": None if number % 2 else "Dr. Example",
            }
        )
    return rows


def prediction_rows(number: int, sets: Sequence[str], records: int) -> list[Row]:
    """Every model's answer to `records` texts of each evaluation set, in the run with this number."""
    nothing = dict.fromkeys(PREDICTIONS.column_names)
    rows = []
    for place, evaluation_set in enumerate(sets):
        chance = random.Random(f"{evaluation_set} {number}")
        for record in range(records):
            # At least one of each label.
            is_event = record == 0 or (record > 1 and chance.random() < 0.3)
            text = sentence(chance, is_event)[0]
            for model in CLASSIFIERS:
                skill = _SKILL[model] + number / 400
                middle = 0.5 + (skill if is_event else -skill)
                probability = 1.0 if model == ALL_POSITIVE else min(0.999, max(0.001, chance.gauss(middle, 0.22)))
                rows.append(
                    nothing
                    | {
                        "record_id": f"{place * records + record:016x}",
                        "evaluation_set": evaluation_set,
                        "model": model,
                        "input": f"{text} ({record})",
                        "reference": POSITIVE if is_event else NEGATIVE,
                        "prediction": POSITIVE if probability >= THRESHOLDS[model] else NEGATIVE,
                        "slice": ALL,
                        "input_words": len(text.split()) + 1,
                        "probability": probability,
                        "threshold": THRESHOLDS[model],
                    }
                )
    return rows


def precision_recall_rows(predictions: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What some thresholds give, each model's own among them."""
    rows = []
    for evaluation_set in sorted({row["evaluation_set"] for row in predictions}):
        for model in CLASSIFIERS:
            of = [row for row in predictions if (row["evaluation_set"], row["model"]) == (evaluation_set, model)]
            events = sum(row["reference"] == POSITIVE for row in of)
            own = THRESHOLDS[model]
            levels = [own] if model == ALL_POSITIVE else [0.95 - step * 0.045 for step in range(21)]
            for threshold in sorted({*levels, own}, reverse=True):
                called = [row for row in of if row["probability"] >= threshold]
                found = sum(row["reference"] == POSITIVE for row in called)
                rows.append(
                    {
                        "evaluation_set": evaluation_set, "model": model, "threshold": threshold,
                        "precision": found / len(called) if called else 0.0, "recall": found / events,
                        "chosen": threshold == own,
                    }
                )  # fmt: skip
    return rows


def score_rows(number: int, run_id: str, started: datetime, sets: Sequence[str], records: int) -> list[Row]:
    """A score of each model and metric, of about its skill."""
    nothing = dict.fromkeys(SCORES.column_names)
    chance = random.Random(100 + number)
    rows = []
    for evaluation_set in sets:
        for model in CLASSIFIERS:
            for metric in METRICS:
                value = min(1.0, max(0.0, 0.42 + _SKILL[model] + chance.uniform(-0.05, 0.05) + number / 300))
                value = 1 - value if metric in ("brier", "calibration_error") else value
                rows.append(
                    nothing
                    | {
                        "run_id": run_id, "started_at": started, "evaluation_set": evaluation_set, "slice": ALL,
                        "model": model, "metric": metric, "count": records, "mean": value, "low": value - 0.03,
                        "high": value + 0.03, "distinct_predictions": 2,
                    }
                )  # fmt: skip
    return rows


def search_rows(number: int, started: datetime, jobs: int = 9) -> list[Row]:
    """Jobs of a search: one failed before it had a result, one was stopped early."""
    chance = random.Random(200 + number)
    rates = [10 ** chance.uniform(-5, -3.5) for _ in range(jobs)]
    reached = [0.75 - abs(rate * 1e5 - 8) / 60 + chance.uniform(-0.02, 0.02) for rate in rates]
    objectives = [None if job == 2 else value for job, value in enumerate(reached)]
    best = max(value for value in objectives if value is not None)
    return [
        {
            "started_at": started, "job": f"search-{number}-{job:03d}-0a1b2c3d",
            "status": {2: "Failed", 5: "Stopped"}.get(job, "Completed"), "objective": objectives[job],
            "best": objectives[job] == best, "early_stopped": job == 5,
            "seconds": None if job == 2 else 300.0 + 40 * job,
            "learning_rate": rates[job], "max_seq_length": (64, 128)[job % 2], "train_batch_size": (16, 32)[job % 2],
            "model_name": _ENCODERS[job % 2], "parameters": "{}", "failure": "out of memory" if job == 2 else None,
        }
        for job in range(jobs)
    ]  # fmt: skip


def synthetic_rows(number: int, started: datetime, texts: int = 40) -> list[Row]:
    """Texts that a model wrote, a third of them dropped."""
    chance = random.Random(300 + number)
    reasons = ("too short", "near-copy of a training or kept text", "another label by the first model")
    rows = []
    for text in range(texts):
        reason = chance.choice(reasons) if text % 3 == 0 else None
        rows.append(
            {
                "started_at": started, "synthetic_id": f"{number:08x}{text:08x}", "text": sentence(chance, True)[0],
                "kept": reason is None, "reason": reason, "prompted_by": "0" * 16, "provider": "model",
                "model": "invented-writer", "first_model_probability": chance.random(),
            }
        )  # fmt: skip
    return rows
