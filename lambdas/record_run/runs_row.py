"""The row of `runs` that an ended execution makes."""

from typing import Any

from lambdas.record_run.execution import Execution
from lambdas.record_run.reason import clean_reason
from lambdas.run_tables import RunsRow, compact_json


def runs_row(
    execution: Execution,
    report: dict[str, Any] | None,
    evaluation: dict[str, Any] | None,
    cost_dollars: float | None,
) -> RunsRow:
    """Put together what SageMaker says with Prepare's report and evaluation.json, each None if it was not reached.

    Raises:
        KeyError: a report lacks what docs/architecture.md promises.
    """
    # The counts are Prepare's, so they are there too when a later step failed.
    counts = report["counts"] if report else {}
    failed = execution.failed_step
    registered = next((arn for step in execution.steps if (arn := step.arn("RegisterModel"))), None)
    return RunsRow(
        run_id=execution.run_id,
        started_at=execution.started_at,
        status=execution.status,
        ended_at=execution.ended_at,
        failed_step=failed.name if failed else None,
        reason=_reason(execution),
        warnings=_lines([*(report or {}).get("warnings", []), *(evaluation or {}).get("warnings", [])]),
        data_version=execution.parameters.get("DataVersion"),
        data_fingerprint=report["fingerprint"] if report else None,
        uploaded=counts.get("uploaded"),
        train=counts.get("train"),
        validation=counts.get("validation"),
        quarantined=counts.get("quarantined"),
        duplicates=counts.get("duplicates"),
        evaluated=compact_json(evaluation["counts"]["eval"]) if evaluation else None,
        gate_passed=evaluation["gate"]["passed"] if evaluation else None,
        gate_reasons=_lines(evaluation["gate"]["reasons"]) if evaluation else None,
        model_package=registered,
        parameters=compact_json(execution.parameters),
        step_seconds=compact_json(
            {step.name: round(step.seconds, 1) for step in execution.steps if step.seconds is not None}
        ),
        cost_dollars=cost_dollars,
    )


def _reason(execution: Execution) -> str | None:
    if execution.status != "Failed":
        return None
    step = execution.failed_step
    told = (step.failure_reason if step else None) or execution.failure_reason
    return clean_reason(told) if told else "SageMaker gave no reason; see the execution and its jobs' logs."


def _lines(sentences: list[str]) -> str | None:
    """One sentence a line, each once, in order; None without any."""
    return "\n".join(dict.fromkeys(sentences)) or None
