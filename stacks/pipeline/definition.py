"""The SageMaker Pipeline of a task, authored with the SageMaker Python SDK.

    StageModel ──┬─> FineTune ─> answers of the fine-tuned model ──┐
    Prepare ─────┤                                                 ├─> Evaluate ─> Gate ─> Register
                 └─> answers before fine-tuning ───────────────────┘

What a kind of task does in these places is in stacks/pipeline/summary_pipeline.py and classification_pipeline.py, what
they have in common in stacks/pipeline/steps.py, and what all steps share in stacks/pipeline/authoring.py.
"""

import json
from typing import Any

from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.pipeline import Pipeline

from stacks.config import ClassificationTask, Stage, SummaryTask, Task
from stacks.jumpstart import LockedModel
from stacks.pipeline.authoring import PipelineAuthor
from stacks.pipeline.classification_pipeline import classification_steps
from stacks.pipeline.sdk_session import settings_checked_once
from stacks.pipeline.steps import REPORT, Steps, register
from stacks.pipeline.summary_pipeline import summary_steps


def build_definition(task: Task, stage: Stage, jumpstart: LockedModel | None) -> dict[str, Any]:
    """Return the pipeline's definition with `PLACEHOLDERS` in it: the same one for the same task, stage and lock.

    Must be imported and called inside `stacks.pipeline.offline.offline`; `stacks.pipeline.pipeline_definition` does.
    `jumpstart` is the model that a task with source `jumpstart` is fine-tuned from.
    """
    with settings_checked_once():
        author = PipelineAuthor(task, stage)
        return _definition(author, _steps(author, task, jumpstart))


def _steps(author: PipelineAuthor, task: Task, jumpstart: LockedModel | None) -> Steps:
    if isinstance(task, SummaryTask):
        return summary_steps(author, task, jumpstart)
    assert isinstance(task, ClassificationTask)  # there is no third kind
    return classification_steps(author, task)


def _definition(author: PipelineAuthor, steps: Steps) -> dict[str, Any]:
    passed = JsonGet(step_name=steps.evaluate.name, property_file=REPORT, json_path="gate.passed")
    gate = ConditionStep(
        "Gate", conditions=[ConditionEquals(passed, True)], if_steps=[register(author, steps)], else_steps=[]
    )
    pipeline = Pipeline(
        author.stage.name_for(author.task),
        parameters=author.parameters.all(),
        # Where steps take turns, the model is judged before anything is compared.
        steps=[*steps.judged(), gate, *steps.compared],
        sagemaker_session=author.session,
        pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
    )
    definition: dict[str, Any] = json.loads(pipeline.definition())
    return definition
