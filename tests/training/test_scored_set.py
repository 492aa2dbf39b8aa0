"""The error that ROUGE hides, and whom it is counted for."""

from datetime import UTC, datetime

from training.evaluation_inputs import EvaluationRecord
from training.scored_set import ABNORMAL_AS_NORMAL, abnormal_summary, score_rows, score_set
from training.table_schemas import ABNORMAL

STARTED = datetime(2026, 1, 31, tzinfo=UTC)


def record(number: int, target: str, normal: bool | None) -> EvaluationRecord:
    return EvaluationRecord(id=f"{number:016x}", input=f"Findings {number}.", target=target, normal=normal)


RECORDS = [
    record(1, "No acute cardiopulmonary abnormality.", True),
    # An abnormal image of which the doctor wrote that nothing is acute: the same answer is right.
    record(2, "No acute cardiopulmonary abnormality.", False),
    record(3, "Large left pleural effusion.", False),
    record(4, "Right lower lobe pneumonia.", None),
]


def test_the_share_is_of_those_abnormal_records_whose_reference_says_so() -> None:
    answers = ["No acute cardiopulmonary abnormality."] * 3 + ["Right lower lobe pneumonia."]
    scored = score_set("dev2", RECORDS, {"fine-tuned": answers}, workers=1)
    summary = abnormal_summary(scored)["fine-tuned"]
    assert summary["count"] == 3
    assert summary[ABNORMAL_AS_NORMAL] == 1 / 2
    rows = [row for row in score_rows(scored, "run", STARTED, seed=1) if row["metric"] == ABNORMAL_AS_NORMAL]
    assert [(row["slice"], row["count"], row["mean"]) for row in rows] == [(ABNORMAL, 2, 1 / 2)]


def test_without_such_records_there_is_no_share() -> None:
    scored = score_set("dev2", RECORDS[:2], {"fine-tuned": ["Normal chest.", "Normal chest."]}, workers=1)
    assert abnormal_summary(scored)["fine-tuned"][ABNORMAL_AS_NORMAL] is None
    assert not [row for row in score_rows(scored, "run", STARTED, seed=1) if row["metric"] == ABNORMAL_AS_NORMAL]
