"""The stacks of event streams alone: storage, tables, and a stream of an invented task."""

import json
from pathlib import Path

from aws_cdk import App, Stack

from stacks.analytics_stack import AnalyticsStack
from stacks.config import load_stage, load_tasks
from stacks.config.stream import Stream
from stacks.event_stream import StreamedTask
from stacks.events_stack import EventsStack
from stacks.foundation import Foundation
from stacks.storage_stack import StorageStack

REPOSITORY = Path(__file__).resolve().parents[2]
# The tables know the shipped tasks; its own file is not needed for anything else here.
TASK = "radiology_impressions"
ENDPOINT = "classifier"


def events_app(stage_name: str, *streams: Stream, folder: Path | None = None) -> tuple[App, dict[str, Stack]]:
    """The app, and its stacks by the last part of their names. The first stream is that of TASK."""
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=context, outdir=str(folder) if folder is not None else None)
    stage = load_stage(stage_name)
    storage = StorageStack(app, f"ReportTuning-{stage.name}-Storage", stage=stage)
    foundation = Foundation(
        stage=stage,
        tasks=load_tasks(stage.name),
        jumpstart={},
        bucket=storage.bucket,
        key=storage.key,
        alarms=storage.alarms,
    )
    tasks = [
        StreamedTask(
            name=TASK if number == 0 else f"task_{number}",
            construct_id=f"Task{number}",
            title="Adverse events",
            endpoint=ENDPOINT if number == 0 else f"{ENDPOINT}-{number}",
            labels=("Adverse_Event", "Not_AE"),
            fields=("text", "label"),
            stream=stream,
        )
        for number, stream in enumerate(streams)
    ]
    stacks = [
        storage,
        AnalyticsStack(app, f"ReportTuning-{stage.name}-Analytics", foundation=foundation),
        EventsStack(app, f"ReportTuning-{stage.name}-Events", foundation=foundation, tasks=tasks),
    ]
    return app, {stack.stack_name.rsplit("-", 1)[-1]: stack for stack in stacks}
