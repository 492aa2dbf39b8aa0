"""Invented rows of the tables that a comparison leaves behind, as training/table_schemas.py has them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from training.table_schemas import FINE_TUNED, FLOORS, PRETRAINED

Row = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A way to answer: it is asked the first `asked` records of a set (None: all) and answers all but `unanswered`."""

    name: str
    kind: str
    asked: int | None = None
    unanswered: int = 0
    reason: str | None = None
    dollars: float | None = None
    needs: str = ""
    leaves_account: bool = False

    def numbers(self, records: int) -> tuple[int, int]:
        """Records of a set that it was asked, and that it answered."""
        asked = min(self.asked or records, records)
        return asked, max(0, asked - self.unanswered)


OWN = (
    Candidate(PRETRAINED, "pre-trained", dollars=1.94, needs="GPU"),
    Candidate(FINE_TUNED, "fine_tuned", dollars=1.52, needs="GPU"),
    *(Candidate(floor, "floor", dollars=0.0) for floor in FLOORS),
)
CANDIDATES = (
    Candidate("small-language-model", "foundation", asked=12, needs="acceptance of the licence Apache-2.0"),
    Candidate(
        "hosted-model",
        "bedrock",
        unanswered=3,
        reason="3 records have no answer: the content filter refused them, or the service throttled the request",
        dollars=14.2,
        needs="network; acceptance of the licence of its maker",
        leaves_account=True,
    ),
    Candidate("bart-of-2025", "fine_tuned", dollars=1.11),
    Candidate("lead-sentences", "custom", dollars=0.04),
    Candidate(
        "endpoint-of-the-ward",
        "foundation",
        unanswered=1_000_000,
        reason="there is no endpoint of the name ward-summaries in this account and region",
        needs="GPU; network",
    ),
)
# How good the answers of a candidate are, as ROUGE-L; those of the pipeline's own models are the world's.
QUALITY = {"small-language-model": 0.22, "hosted-model": 0.47, "bart-of-2025": 0.49, "lead-sentences": 0.15}
_RULES = ("number", "side", "negation", "severity", "term")
_PASSAGES = ("2.4 cm", "left lower lobe", "no effusion", "severe", "pneumothorax")


def candidate_rows(
    chance: random.Random, started_at: datetime, sets: Sequence[str], records: int, quality: Mapping[str, float]
) -> list[Row]:
    """Of the first evaluation set one is recommended, of the others none is."""
    rows = []
    for evaluation_set in sets:
        for candidate in (*OWN, *CANDIDATES):
            asked, answered = candidate.numbers(records)
            recommended = evaluation_set == sets[0] and candidate.name == "bart-of-2025"
            row: Row = {
                "started_at": started_at,
                "evaluation_set": evaluation_set,
                "candidate": candidate.name,
                "kind": candidate.kind,
                "status": "complete" if candidate.reason is None else "partial" if answered else "failed",
                "reason": candidate.reason,
                "asked": asked,
                "answered": answered,
                "distinct_predictions": answered // 2,
                "seconds_per_1000": chance.uniform(1, 900) if answered else None,
                "dollars_per_1000": candidate.dollars,
                "needs": candidate.needs,
                "leaves_account": candidate.leaves_account,
                "recommended": recommended,
                "verdict": _verdict(candidate, recommended),
            }
            own = quality | QUALITY
            for name, middle in (
                ("rouge_l", own.get(candidate.name)),
                ("against_fine_tuned", own.get(candidate.name, 0.0) - own[FINE_TUNED]),
                ("clinical_errors", 0.12),
            ):
                row |= _interval(chance, name, middle if answered else None)
            rows.append(row)
    return rows


def _interval(chance: random.Random, name: str, middle: float | None) -> Row:
    if middle is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    value = middle + chance.uniform(-0.04, 0.04)
    half = chance.uniform(0.015, 0.05)
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def _verdict(candidate: Candidate, recommended: bool) -> str:
    if recommended:
        return (
            "Recommended: it is level with fine-tuned, and is cheaper (1.11 dollars per 1,000 records against 1.52). "
            "The rules find clinical errors in 4.2% of its answers."
        )
    if candidate.reason is not None:
        return f"It did not answer every record: {candidate.reason}."
    if candidate.kind == "floor":
        return "A floor: it is what others are measured by, and is never recommended."
    if candidate.asked is not None:
        return f"It answered {candidate.asked} records; fewer than 30 decide nothing."
    return "It is reliably worse in ROUGE-L than the best (95 % interval of the difference below nought)."


def failure_rows(started_at: datetime, sets: Sequence[str], records: int) -> list[Row]:
    rows = []
    for evaluation_set in sets:
        for candidate in CANDIDATES:
            asked, answered = candidate.numbers(records)
            if asked > answered:
                rows.append(
                    {
                        "started_at": started_at,
                        "evaluation_set": evaluation_set,
                        "candidate": candidate.name,
                        "reason": candidate.reason,
                        "records": asked - answered,
                    }
                )
    return rows


def clinical_error_rows(chance: random.Random, predictions: Sequence[Row]) -> list[Row]:
    """One or two passages of every eighth answer, about; none of what `constant` answered."""
    rows = []
    for answer in predictions:
        if answer["model"] == "constant" or chance.random() > 0.12:
            continue
        for place in chance.sample(range(len(_RULES)), chance.choice((1, 1, 2))):
            rows.append(
                {
                    "record_id": answer["record_id"],
                    "evaluation_set": answer["evaluation_set"],
                    "model": answer["model"],
                    "check": _RULES[place],
                    "passage": _PASSAGES[place],
                }
            )
    return rows
