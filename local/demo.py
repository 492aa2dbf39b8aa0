"""The demo: texts go in, and a trained, compared, registered and live model comes out.

    python -m local demo [--task TASK] [--tasks FOLDER] [--data train.jsonl] [--evaluation dev2.jsonl]
    python -m local demo --task all

It uploads files to the bucket and then only watches: the upload itself starts the run. What is particular to a task is
in local/demos/.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.demos import DEMOS, demo_of
from local.demos.task_demo import DemoFiles, TaskDemo
from local.errors import DataError, LocalError, RunError
from local.paths import STATE
from local.progress import ExpectedSeconds, Progress
from local.results import Tables, counts, step_seconds, write_summary
from local.runs import RunView, RunWatcher, newest_run, parameters_of, steps_of
from local.stage import LocalStage, deployed_stage, log_of_local_aws, wait_for_endpoint

SUMMARY = STATE / "summary.json"
DASHBOARD = STATE / "dashboard.html"
_DATA = STATE / "data"
_START_SECONDS = 120
_ROW_SECONDS = 120


def run_demo(console: Console, task: str, tasks: Path, data: Path | None, evaluation: Path | None) -> None:
    """Run the whole way of one task of the folder `tasks` once, on its own example data or on a user's files.

    Raises:
        LocalError: what stopped it, and what to do.
    """
    demo = demo_of(task, tasks)
    _remove_results()
    files = _own_files(data, evaluation) if data else demo.example_data(console, _DATA)
    with _served_stage(console, tasks) as (stage, dashboard):
        summary = _whole_way(console, stage, demo, files, own_data=data is not None)
        write_summary(SUMMARY, summary)
        _say_what_is_left(console, stage, {demo.kind: DASHBOARD})
        if console.is_terminal:
            _stay(console, stage, dashboard, tasks)


def run_every_demo(console: Console, demos: Sequence[TaskDemo], tasks: Path) -> list[str]:
    """Run the whole way of several tasks one after another, in one local AWS with the tasks of the folder `tasks` and
    on their example data.

    What stops one task is said, and written to summary.json, and the next one begins. Returns the tasks that failed.

    Raises:
        LocalError: there is no local AWS, or no dashboard.
    """
    _remove_results()
    done: dict[str, dict[str, Any]] = {}
    with _served_stage(console, tasks) as (stage, dashboard):
        for number, demo in enumerate(demos, start=1):
            console.rule(f"{number} of {len(demos)}: {demo.task}", characters="=")
            done[demo.task] = _whole_way_or_error(console, stage, demo)
            write_summary(SUMMARY, {"tasks": done})
        console.rule(characters="=")
        for task, summary in done.items():
            console.print(f"{task}: {_outcome(summary)}", highlight=False, markup=False)
        _say_what_is_left(console, stage, {kind: dashboard_file(kind) for kind in dict.fromkeys(d.kind for d in demos)})
        if console.is_terminal:
            _stay(console, stage, dashboard, tasks)
    return [task for task, summary in done.items() if "error" in summary]


def dashboard_file(kind: str) -> Path:
    """Where the dashboard of a kind of task lies after a demo of several tasks."""
    return DASHBOARD.with_stem(f"{DASHBOARD.stem}-{kind}")


def serve(console: Console, tasks: Path) -> None:
    """Start a local stage with the tasks of a folder and keep it until Ctrl-C."""
    with deployed_stage(console, tasks=tasks) as stage, dashboard_server(stage) as dashboard:
        _stay(console, stage, dashboard, tasks)


@contextmanager
def _served_stage(console: Console, tasks: Path) -> Iterator[tuple[LocalStage, str]]:
    """A deployed stage, and the address of its dashboard, which is said."""
    with deployed_stage(console, tasks=tasks) as stage, dashboard_server(stage) as dashboard:
        console.print(f"Dashboard: {dashboard} (while this runs)", highlight=False)
        yield stage, dashboard


def _remove_results() -> None:
    """What an earlier demo left must not be taken for this one's."""
    for left in (SUMMARY, DASHBOARD, *(dashboard_file(demo.kind) for demo in DEMOS.values())):
        left.unlink(missing_ok=True)


def _say_what_is_left(console: Console, stage: LocalStage, dashboards: dict[str, Path]) -> None:
    """Write the dashboards, by kind of task, as files, and say where they and the summary are."""
    console.print(f"Written for scripts: {SUMMARY}")
    for kind, file in dashboards.items():
        write_dashboard_file(stage, file, kind)
        console.print(f"The dashboard as one file, with clinical text in it: {file}")


def _whole_way_or_error(console: Console, stage: LocalStage, demo: TaskDemo) -> dict[str, Any]:
    """What summary.json holds of a task: all of it, or `error` with what stopped it."""
    try:
        files = demo.example_data(console, _DATA)
        return _whole_way(console, stage, demo, files, own_data=False)
    except (LocalError, ClientError, BotoCoreError) as error:
        console.print(f"Stopped: {error}", style="red", highlight=False, markup=False)
        return {"task": demo.task, "error": str(error)}


def _outcome(summary: dict[str, Any]) -> str:
    if "error" in summary:
        return f"FAILED: {summary['error'].splitlines()[0]}"
    return f"done, gate {'passed' if summary['gate']['passed'] else 'NOT PASSED'}"


def _own_files(data: Path, evaluation: Path | None) -> DemoFiles:
    for file in (data, evaluation):
        if file is not None and not file.is_file():
            raise DataError(f"{file}: no such file")
    return DemoFiles(data, evaluation, evaluation.stem if evaluation else None)


def _whole_way(
    console: Console, stage: LocalStage, demo: TaskDemo, files: DemoFiles, *, own_data: bool
) -> dict[str, Any]:
    demo.provide_models(stage, _DATA)
    if files.evaluation:
        stage.upload(files.evaluation, demo.task, files.evaluation_set)
    key = stage.upload(files.train, demo.task)
    console.print(f"Uploaded s3://{stage.names.bucket}/{key}; the upload starts the run.")
    view = _watch(console, stage, demo.task)
    tables = Tables.of(stage)
    row = _wait_for_row(tables, demo.task, view.run_id)
    if view.status != "Succeeded":
        raise RunError(
            f"run {view.run_id} {view.status.lower()} at {row['failed_step']}: {row['reason']}\n"
            f"The local AWS's own log: {log_of_local_aws(STATE)}"
        )
    shown = demo.show_scores(console, stage, view.run_id)
    passed = _say_decision(console, row)
    package = row["model_package"]
    used: dict[str, Any] = {}
    if package:
        go_live(console, stage, demo.task, package)
        used = demo.use(console, stage, view.run_id, _DATA, own_data=own_data)
    return {
        "task": demo.task,
        "run_id": view.run_id,
        "counts": counts(row),
        **shown,
        "seconds": {"setup": _setup_seconds(), "deploy": stage.deploy_seconds, "steps": step_seconds(view)},
        "gate": {"passed": passed, "reasons": _lines(row["gate_reasons"])},
        "model_package": package,
        "endpoint": stage.names.pipelines[demo.task] if package else None,
        **used,
    }


def _say_decision(console: Console, row: dict[str, str | None]) -> bool:
    """Say what a reader must know, and whether the model may be registered."""
    passed, reasons = row["gate_passed"] == "true", _lines(row["gate_reasons"])
    # The gate says most of what there is to warn of, with the same words.
    for line in _lines(row["warnings"]):
        if line not in reasons:
            console.print(f"  Note: {line}", highlight=False)
    console.print(f"Gate: {'passed' if passed else 'NOT PASSED'}", style="bold")
    for reason in reasons:
        console.print(f"  {reason}", highlight=False)
    return passed


def _lines(text: str | None) -> list[str]:
    return (text or "").splitlines()


def _watch(console: Console, stage: LocalStage, task: str) -> RunView:
    sagemaker = stage.aws.client("sagemaker")
    pipeline = stage.names.pipelines[task]
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
    expected = ExpectedSeconds(STATE / "expected-seconds.json", steps_of(sagemaker, arn))
    watcher = RunWatcher(sagemaker=sagemaker, logs=stage.aws.client("logs"), arn=arn)
    with Progress(console, expected, epochs) as progress:
        for view in watcher.follow(interval_seconds=0.5 if console.is_terminal else 1.0):
            progress.show(view)
    expected.remember(view)
    return view


def _wait_for_row(tables: Tables, task: str, run_id: str) -> dict[str, str | None]:
    """The run's row is written by an event after its end."""
    deadline = time.monotonic() + _ROW_SECONDS
    while time.monotonic() < deadline:
        row = tables.run(task, run_id)
        if row is not None:
            return row
        time.sleep(0.5)
    raise RunError(f"the row of run {run_id} is not in the table runs after {_ROW_SECONDS} s")


def newest_package(stage: LocalStage, task: str) -> str:
    """ARN of the model package of a task that was registered last.

    Raises:
        RunError: there is none.
    """
    found = stage.aws.client("sagemaker").list_model_packages(
        ModelPackageGroupName=stage.names.pipelines[task], SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["ModelPackageSummaryList"]
    if not found:
        raise RunError(f"no model of {task} is registered: no run of it has ended and passed the gate")
    return str(found[0]["ModelPackageArn"])


def go_live(console: Console, stage: LocalStage, task: str, package: str) -> None:
    """Approve a model package, and wait until the task's live endpoint serves it.

    Raises:
        RunError: it does not come to that.
    """
    sagemaker = stage.aws.client("sagemaker")
    console.print(f"Approving {package.rsplit(':', 1)[-1]}, as a person would; the live endpoint moves to it ...")
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_for_endpoint(sagemaker, stage.names.pipelines[task], package)


def _stay(console: Console, stage: LocalStage, dashboard: str, tasks: Path) -> None:
    """Keep serving, and show every further run, until Ctrl-C."""
    console.print()
    console.print("Still serving; Ctrl-C stops everything.", style="bold")
    console.print(f"  {dashboard}      the dashboard, in a browser", highlight=False)
    console.print("In another terminal:", style="bold")
    console.print("  make upload FILE=train.jsonl              your own training data: starts a run")
    console.print("  make upload FILE=dev3.jsonl SET=dev3      an evaluation set, scored in every later run")
    console.print("  make approve                              the newest model: the live endpoint moves to it")
    console.print(
        "  make predict TEXT='The heart is ...'      asks the live endpoint (EXPLAIN=1: and what it rested on)"
    )
    names = ", ".join(stage.names.pipelines)
    console.print(f"  each with TASK=name                       of that task; there are: {names}", highlight=False)
    sagemaker = stage.aws.client("sagemaker")
    seen = {newest_run(sagemaker, pipeline) for pipeline in stage.names.pipelines.values()}
    try:
        while True:
            for task, pipeline in stage.names.pipelines.items():
                arn = newest_run(sagemaker, pipeline)
                if arn not in seen:
                    seen.add(arn)
                    follow_run(console, stage, str(arn))
                    write_dashboard_file(stage, DASHBOARD, demo_of(task, tasks).kind)
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping ...")


def _setup_seconds() -> float:
    measured = json.loads((STATE / "set-up.json").read_text(encoding="utf-8"))
    return float(measured["seconds"])
