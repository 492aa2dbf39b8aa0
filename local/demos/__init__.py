"""What the demo shows of each task: its data, its table, and how the live endpoint is used."""

from local.demos.adverse_events import AdverseEvents
from local.demos.clinical_notes import ClinicalNotes
from local.demos.radiology import Radiology
from local.demos.task_demo import TaskDemo

DEMOS: dict[str, TaskDemo] = {demo.task: demo for demo in (Radiology(), AdverseEvents(), ClinicalNotes())}
