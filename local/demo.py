"""The demo: real reports go in, and a trained, compared, registered and live model comes out.

    python -m local demo [--data train.jsonl] [--evaluation dev2.jsonl]

It uploads files to the bucket and then only watches: the upload itself starts the run.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.errors import DataError, RunError
from local.open_i import LICENCE, Report, demo_files
from local.paths import STATE
from local.progress import ExpectedSeconds, Progress
from local.results import (
    Tables,
    comparison,
    counts,
    say_what_it_means,
    step_seconds,
    write_summary,
)
from local.runs import RunView, RunWatcher, newest_run, parameters_of
from local.stage import LocalStage, deployed_stage, log_of_local_aws, wait_for_endpoint

TASK = "radiology_impressions"
SUMMARY = STATE / "summary.json"
DASHBOARD = STATE / "dashboard.html"
_START_SECONDS = 120
_ROW_SECONDS = 120


@dataclass(frozen=True)
class DemoInput:
    """Files to upload, and a report to ask the live endpoint about that is in none of them, where there is one."""

    train: Path
    evaluation: Path | None
    evaluation_set: str | None
    unseen: Report | None


def run_demo(console: Console, data: Path | None, evaluation: Path | None) -> None:
    """Run the whole way once.

    Raises:
        LocalError: what stopped it, and what to do.
    """
    for left in (SUMMARY, DASHBOARD):
        left.unlink(missing_ok=True)
    files = _input(console, data, evaluation)
    with deployed_stage(console) as stage, dashboard_server(stage) as dashboard:
        console.print(f"Dashboard: {dashboard} (while this runs)", highlight=False)
        summary = _whole_way(console, stage, files)
        write_summary(SUMMARY, summary)
        console.print(f"Written for scripts: {SUMMARY}")
        write_dashboard_file(stage, DASHBOARD)
        console.print(f"The dashboard as one file, with clinical text in it: {DASHBOARD}")
        if console.is_terminal:
            _stay(console, stage, dashboard)


def serve(console: Console) -> None:
    """Start a deployed local stage and keep it until Ctrl-C."""
    with deployed_stage(console) as stage, dashboard_server(stage) as dashboard:
        _stay(console, stage, dashboard)


def _input(console: Console, data: Path | None, evaluation: Path | None) -> DemoInput:
    if data is None:
        console.print("Reports: Indiana University chest X-ray collection (Open-i).")
        console.print(f"Licence: {LICENCE}.")
        files = demo_files(STATE / "data")
        return DemoInput(files.train, files.evaluation, files.evaluation_set, files.unseen)
    for file in (data, evaluation):
        if file is not None and not file.is_file():
            raise DataError(f"{file}: no such file")
    return DemoInput(data, evaluation, evaluation.stem if evaluation else None, None)


def _whole_way(console: Console, stage: LocalStage, files: DemoInput) -> dict[str, Any]:
    if files.evaluation:
        stage.upload(files.evaluation, TASK, files.evaluation_set)
    key = stage.upload(files.train, TASK)
    console.print(f"Uploaded s3://{stage.names.bucket}/{key}; the upload starts the run.")
    view = _watch(console, stage)
    tables = Tables(stage.aws.client("athena"), stage.names)
    row = _wait_for_row(tables, view.run_id)
    if view.status != "Succeeded":
        raise RunError(
            f"run {view.run_id} {view.status.lower()} at {row['failed_step']}: {row['reason']}\n"
            f"The local AWS's own log: {log_of_local_aws(STATE)}"
        )
    scores = tables.scores(TASK, view.run_id)
    missed, distinct = tables.abnormal(TASK, view.run_id), tables.distinct(TASK, view.run_id)
    console.print(comparison(scores, missed, distinct))
    say_what_it_means(console, scores)
    passed, reasons = row["gate_passed"] == "true", (row["gate_reasons"] or "").splitlines()
    # The gate says most of what there is to warn of, with the same words.
    for line in (row["warnings"] or "").splitlines():
        if line not in reasons:
            console.print(f"  Note: {line}", highlight=False)
    console.print(f"Gate: {'passed' if passed else 'NOT PASSED'}", style="bold")
    for reason in reasons:
        console.print(f"  {reason}", highlight=False)
    package = row["model_package"]
    answer = None
    if package:
        report = files.unseen or Report(*tables.evaluated_report(TASK, view.run_id))
        answer = _go_live(console, stage, str(package), report)
    return {
        "task": TASK,
        "run_id": view.run_id,
        "counts": counts(row),
        "scores": scores,
        "abnormal_as_normal": missed,
        "distinct_predictions": distinct,
        "seconds": {"setup": _setup_seconds(), "deploy": stage.deploy_seconds, "steps": step_seconds(view)},
        "gate": {"passed": passed, "reasons": reasons},
        "model_package": package,
        "endpoint": stage.names.pipelines[TASK] if package else None,
        "answer": answer,
    }


def _watch(console: Console, stage: LocalStage) -> RunView:
    sagemaker = stage.aws.client("sagemaker")
    pipeline = stage.names.pipelines[TASK]
    deadline = time.monotonic() + _START_SECONDS
    while (arn := newest_run(sagemaker, pipeline)) is None:
        if time.monotonic() > deadline:
            raise RunError(f"no run of {pipeline} started within {_START_SECONDS} s of the upload")
        time.sleep(0.3)
    return follow_run(console, stage, arn)


def follow_run(console: Console, stage: LocalStage, arn: str) -> RunView:
    """Show a run until it has ended."""
    sagemaker = stage.aws.client("sagemaker")
    epochs = float(parameters_of(sagemaker, arn)["Epochs"])
    expected = ExpectedSeconds(STATE / "expected-seconds.json")
    watcher = RunWatcher(sagemaker=sagemaker, logs=stage.aws.client("logs"), arn=arn)
    with Progress(console, expected, epochs) as progress:
        for view in watcher.follow(interval_seconds=0.5 if console.is_terminal else 1.0):
            progress.show(view)
    expected.remember(view)
    return view


def _wait_for_row(tables: Tables, run_id: str) -> dict[str, str | None]:
    """The run's row is written by an event after its end."""
    deadline = time.monotonic() + _ROW_SECONDS
    while time.monotonic() < deadline:
        row = tables.run(TASK, run_id)
        if row is not None:
            return row
        time.sleep(0.5)
    raise RunError(f"the row of run {run_id} is not in the table runs after {_ROW_SECONDS} s")


def _go_live(console: Console, stage: LocalStage, package: str, report: Report) -> dict[str, str]:
    sagemaker = stage.aws.client("sagemaker")
    console.print(f"Approving {package.rsplit(':', 1)[-1]}, as a person would; the live endpoint moves to it ...")
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_for_endpoint(sagemaker, stage.names.pipelines[TASK], package)
    answer = str(stage.ask_endpoint(TASK, report.findings)["generated_text"])
    console.print("The live endpoint, asked about a report that it was not trained on:", style="bold")
    for label, text in (("findings", report.findings), ("its answer", answer), ("the doctor's", report.impression)):
        console.print(f"  {label + ':':<14}{text}", highlight=False, markup=False)
    console.print("  Do not rely on such an answer: see above how often the model misses what is abnormal.")
    return {"input": report.findings, "output": answer}


def _stay(console: Console, stage: LocalStage, dashboard: str) -> None:
    """Keep serving, and show every further run, until Ctrl-C."""
    console.print()
    console.print("Still serving; Ctrl-C stops everything.", style="bold")
    console.print(f"  {dashboard}      the dashboard, in a browser", highlight=False)
    console.print("In another terminal:", style="bold")
    console.print("  make upload FILE=train.jsonl              your own training data: starts a run")
    console.print("  make upload FILE=dev3.jsonl SET=dev3      an evaluation set, scored in every later run")
    console.print(
        "  make predict TEXT='The heart is ...'      asks the live endpoint (EXPLAIN=1: and what it rested on)"
    )
    sagemaker = stage.aws.client("sagemaker")
    seen = {newest_run(sagemaker, pipeline) for pipeline in stage.names.pipelines.values()}
    try:
        while True:
            for pipeline in stage.names.pipelines.values():
                arn = newest_run(sagemaker, pipeline)
                if arn not in seen:
                    seen.add(arn)
                    follow_run(console, stage, str(arn))
                    write_dashboard_file(stage, DASHBOARD)
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping ...")


def _setup_seconds() -> float:
    measured = json.loads((STATE / "set-up.json").read_text(encoding="utf-8"))
    return float(measured["seconds"])
