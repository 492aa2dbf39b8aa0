"""Composition root: a stage and its tasks become stacks. No resources and no AWS calls here.

cdk synth -c stage=dev
"""

import sys
from pathlib import Path

from aws_cdk import App, Stack, Tags

from stacks.analytics_stack import AnalyticsStack
from stacks.config import TASKS_FOLDER, load_stage, load_tasks
from stacks.dashboard_stack import DashboardStack, refreshed_data_sets
from stacks.events_stack import EventsStack, streamed_tasks
from stacks.foundation import Foundation
from stacks.hub import HUB_LOCK_NAME, pinned, unpinned
from stacks.jumpstart import LOCK_NAME, locked_models
from stacks.serving_stack import ServingStack
from stacks.storage_stack import StorageStack
from stacks.training_stack import TrainingStack


def build_app(app: App) -> tuple[Stack, ...]:
    """Add the stacks of the stage that the context names (`dev` if it names none).

    Raises:
        ConfigurationError: the stage, a task file or a lock of models is not what it must be.
    """
    stage = load_stage(app.node.try_get_context("stage") or "dev")
    prefix = f"ReportTuning-{stage.name}"
    storage = StorageStack(app, f"{prefix}-Storage", stage=stage)
    # A hospital may keep its task files elsewhere.
    folder = Path(app.node.try_get_context("tasks") or TASKS_FOLDER)
    tasks = pinned(load_tasks(stage.name, folder), folder.resolve().parent / HUB_LOCK_NAME)
    foundation = Foundation(
        stage=stage,
        tasks=tasks,
        jumpstart=locked_models(folder.resolve().parent / LOCK_NAME, stage, tasks),
        bucket=storage.bucket,
        key=storage.key,
        alarms=storage.alarms,
        refreshed_data_sets=refreshed_data_sets(stage.name, tasks) if stage.dashboard is not None else (),
    )
    training = TrainingStack(app, f"{prefix}-Training", foundation=foundation)
    for model in unpinned(tasks):
        # Not as an annotation: those carry a trace, and synth is to write the same bytes every time.
        print(f"Warning: {model} is not pinned to a commit; `make hub-lock` writes {HUB_LOCK_NAME}", file=sys.stderr)
    serving = ServingStack(app, f"{prefix}-Serving", foundation=foundation)
    # The model packages belong to the training stack; the endpoints that serve them must go first.
    serving.add_stack_dependency(training)
    analytics = AnalyticsStack(app, f"{prefix}-Analytics", foundation=foundation)
    stacks = [storage, training, serving, analytics]
    streamed = streamed_tasks(foundation)
    if streamed:
        stacks.append(EventsStack(app, f"{prefix}-Events", foundation=foundation, tasks=streamed))
    if stage.dashboard is not None:
        dashboard = DashboardStack(
            app, f"{prefix}-Dashboard", foundation=foundation, analytics=analytics, readers=stage.dashboard
        )
        # Its data source asks the workgroup as soon as it is made, and its queries name the tables.
        dashboard.add_stack_dependency(analytics)
        stacks.append(dashboard)
    Tags.of(app).add("application", "report-tuning")
    Tags.of(app).add("stage", stage.name)
    return tuple(stacks)


if __name__ == "__main__":
    root = App()
    build_app(root)
    root.synth()
