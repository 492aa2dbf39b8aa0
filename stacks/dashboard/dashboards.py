"""The dashboards that a deployment's tasks need: one a kind of task."""

from collections.abc import Mapping, Sequence

from stacks.config import ClassificationTask, SummaryTask, Task
from stacks.dashboard.events.event_dashboard import event_dashboard
from stacks.dashboard.parts import Dashboard, DataSet
from stacks.dashboard.report.report_dashboard import report_dashboard


def dashboards(tasks: Sequence[Task]) -> dict[str, Dashboard]:
    """Kind of task -> its dashboard; a kind without tasks has none."""
    summaries = [task for task in tasks if isinstance(task, SummaryTask)]
    classifications = [task for task in tasks if isinstance(task, ClassificationTask)]
    found: dict[str, Dashboard] = {}
    if summaries:
        found[summaries[0].kind] = report_dashboard([task.name for task in summaries])
    if classifications:
        found[classifications[0].kind] = event_dashboard({task.name: task.labels.positive for task in classifications})
    return found


def data_sets(found: Mapping[str, Dashboard]) -> tuple[tuple[DataSet, Dashboard], ...]:
    """Every data set once, with the first dashboard that shows it."""
    once: dict[str, tuple[DataSet, Dashboard]] = {}
    for dashboard in found.values():
        for data_set in dashboard.data_sets:
            once.setdefault(data_set.name, (data_set, dashboard))
    return tuple(once.values())
