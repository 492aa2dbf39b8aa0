"""One evaluation set with every model's answers and scores, and its rows in the tables `predictions`, `similar_reports`
and `scores`."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation_inputs import EvaluationRecord
from training.evaluation_run import ANSWERS_TO_JUDGE
from training.report_text import reads_as_normal
from training.rouge import ROUGE_L, FloatArray, RougeF1, rouge_scores
from training.similar_impressions import ShownReport
from training.statistics import BoolArray, describe, mean_intervals
from training.table_schemas import ABNORMAL, ALL, NORMAL, ROUGE_METRICS
from training.word_marks import mark_words

ABNORMAL_AS_NORMAL = "abnormal_as_normal"


@dataclass(frozen=True)
class Answers:
    """What one model answered: `predictions` in the order of the records, `rouge` (records, 4) with the columns of
    ROUGE_METRICS, and `read_as_normal` (records,)."""

    predictions: Sequence[str]
    rouge: FloatArray
    read_as_normal: BoolArray

    @property
    def rouge_l(self) -> FloatArray:
        """ROUGE-L F1 (records,)."""
        return self.rouge[:, ROUGE_L]


@dataclass(frozen=True)
class ScoredSet:
    """`abnormal` (records,) tells the two slices apart; `models` maps a model's name to its answers; `similar`
    (records,) are the training reports that the fine-tuned model's answers rested on, or None where it is shown none.

    `said_abnormal` (records,) are the abnormal ones whose reference does not read as normal. Of an abnormal image a
    doctor may well write "No acute disease" (an old fracture, a pacemaker): to answer the same is no mistake.
    """

    name: str
    records: Sequence[EvaluationRecord]
    abnormal: BoolArray
    said_abnormal: BoolArray
    models: Mapping[str, Answers]
    similar: Sequence[Sequence[ShownReport]] | None = None

    def slices(self) -> dict[str, BoolArray]:
        """The records of each slice that has any, as a mask (records,)."""
        masks = {ALL: np.ones(len(self.records), dtype=np.bool_), NORMAL: ~self.abnormal, ABNORMAL: self.abnormal}
        return {name: mask for name, mask in masks.items() if mask.any()}


def score_set(
    name: str,
    records: Sequence[EvaluationRecord],
    predictions: Mapping[str, Sequence[str]],
    workers: int,
    similar: Sequence[Sequence[ShownReport]] | None = None,
) -> ScoredSet:
    """Score every model's predictions, each in the order of `records`."""
    references = [record.target for record in records]
    pairs = [pair for texts in predictions.values() for pair in zip(texts, references, strict=True)]
    rouge = rouge_scores(pairs, workers).reshape(len(predictions), len(records), len(ROUGE_METRICS))
    models = {
        model: Answers(texts, rouge[i], np.array([reads_as_normal(text) for text in texts], dtype=np.bool_))
        for i, (model, texts) in enumerate(predictions.items())
    }
    abnormal = np.array([not _is_normal(record) for record in records], dtype=np.bool_)
    said_normal = np.array([reads_as_normal(text) for text in references], dtype=np.bool_)
    return ScoredSet(name, records, abnormal, abnormal & ~said_normal, models, similar)


def mean_scores(scored: ScoredSet) -> dict[str, dict[str, float]]:
    """Model -> metric -> mean F1 over the whole set."""
    return {
        model: {metric: float(answers.rouge[:, i].mean()) for i, metric in enumerate(ROUGE_METRICS)}
        for model, answers in scored.models.items()
    }


def abnormal_summary(scored: ScoredSet) -> dict[str, dict[str, float | int | None]]:
    """Model -> what it did with the abnormal records; the means are None where there is no such record."""
    mask, count = scored.abnormal, int(scored.abnormal.sum())
    return {
        model: {
            "count": count,
            "rougeL": _mean(answers.rouge_l[mask]),
            ABNORMAL_AS_NORMAL: _mean(answers.read_as_normal[scored.said_abnormal]),
            "distinct_predictions": _distinct(answers, mask),
        }
        for model, answers in scored.models.items()
    }


def answer_warnings(scored: ScoredSet, model: str, called: str) -> Iterator[str]:
    """What a reader of a model's scores must know of its answers; `called` is the model in a sentence."""
    texts = scored.models[model].predictions
    empty = sum(not text.strip() for text in texts)
    if empty:
        yield f"Set {scored.name}: {empty} of {len(texts)} predictions by {called} are empty."
    if len(texts) >= ANSWERS_TO_JUDGE and len(set(texts)) == 1:
        yield f"Set {scored.name}: {called} gave one and the same answer to all {len(texts)} records."


def prediction_rows(scored: ScoredSet) -> Iterator[dict[str, Any]]:
    """Rows of the table `predictions`, model by model."""
    words = [(len(record.input.split()), len(record.target.split())) for record in scored.records]
    for model, answers in scored.models.items():
        for i, record in enumerate(scored.records):
            yield {
                "record_id": record.id,
                "evaluation_set": scored.name,
                "model": model,
                "input": record.input,
                "reference": record.target,
                "prediction": answers.predictions[i],
                "marked": mark_words(record.target, answers.predictions[i]),
                "slice": ABNORMAL if scored.abnormal[i] else NORMAL,
                "reads_as_normal": bool(answers.read_as_normal[i]),
                "input_words": words[i][0],
                "reference_words": words[i][1],
                "prediction_words": len(answers.predictions[i].split()),
                **RougeF1(*answers.rouge[i].tolist())._asdict(),
                "probability": None,
                "threshold": None,
            }


def similar_rows(scored: ScoredSet) -> Iterator[dict[str, Any]]:
    """Rows of the table `similar_reports`, record by record, the most similar report first."""
    for record, shown in zip(scored.records, scored.similar or (), strict=scored.similar is not None):
        for one in shown:
            yield {
                "record_id": record.id,
                "evaluation_set": scored.name,
                "rank": one.rank,
                "similar_id": one.report.id,
                "similarity": one.report.similarity,
                "agreed": one.agreed,
                "impression": one.report.target,
            }


def score_rows(scored: ScoredSet, run_id: str, started_at: datetime, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of the table `scores`: each slice, model and metric. A slice without records has no rows."""
    for name, mask in scored.slices().items():
        distinct = {model: _distinct(answers, mask) for model, answers in scored.models.items()}
        for columns in _columns(scored, name, mask):
            lows, highs = mean_intervals(np.column_stack([values for _, _, values in columns]), seed)
            for (model, metric, values), low, high in zip(columns, lows.tolist(), highs.tolist(), strict=True):
                yield {
                    "run_id": run_id,
                    "started_at": started_at,
                    "evaluation_set": scored.name,
                    "slice": name,
                    "model": model,
                    "metric": metric,
                    **dataclasses.asdict(describe(values)),
                    "low": low,
                    "high": high,
                    "distinct_predictions": distinct[model],
                }


def _columns(scored: ScoredSet, slice_name: str, mask: BoolArray) -> Iterator[list[tuple[str, str, FloatArray]]]:
    """Groups of (model, metric, values) over the same records: ROUGE on the slice; on the abnormal one, the error."""
    yield [
        (model, metric, answers.rouge[mask, i])
        for model, answers in scored.models.items()
        for i, metric in enumerate(ROUGE_METRICS)
    ]
    if slice_name == ABNORMAL and scored.said_abnormal.any():
        yield [
            (model, ABNORMAL_AS_NORMAL, answers.read_as_normal[scored.said_abnormal].astype(np.float64))
            for model, answers in scored.models.items()
        ]


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None


def _is_normal(record: EvaluationRecord) -> bool:
    return reads_as_normal(record.target) if record.normal is None else record.normal


def _distinct(answers: Answers, mask: BoolArray) -> int:
    return len(set(itertools.compress(answers.predictions, mask)))
