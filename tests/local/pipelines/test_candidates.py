"""The steps of candidates and their comparison, as this project authors them, run by the local SageMaker."""

import io
import json
import logging
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.config import TASKS_FOLDER, SummaryTask, load_stage, load_task
from stacks.pipeline.offline import offline
from stacks.pipeline.placeholders import PLACEHOLDERS, handler_uri
from stacks.pipeline.source_archive import write_handler_archive
from tests.local.pipelines.conftest import Emulator

# What stands for the scripts: each writes down what it was given.
STUB = """
    import pathlib, sys
    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    for folder in filter(None, given["--output-folders"].split(",")):
        for name in ("first", "second"):
            file = pathlib.Path(given["--root"], "processing/output", folder, name, "part.txt")
            file.parent.mkdir(parents=True)
            file.write_text("text")
"""
ANSWER = """
    import json, pathlib, sys
    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    sys.path.insert(0, given.get("--handler", "."))
    answers = [None]
    if "--handler" in given:
        import inference
        answers = inference.predict_fn({"inputs": ["One. Two. Three."]}, inference.model_fn(given["--handler"]))
    sets = sorted(path.name for path in pathlib.Path(given["--evaluation"]).iterdir())
    output = pathlib.Path(given["--output"], "candidate.json")
    output.write_text(json.dumps({"name": given["--name"], "answer": answers[0], "sets": sets}))
"""
COMPARE = """
    import json, pathlib, sys
    start = sys.argv.index("--candidates") + 1
    end = next(index for index in range(start, len(sys.argv)) if sys.argv[index].startswith("--"))
    found = [json.loads(pathlib.Path(folder, "candidate.json").read_text()) for folder in sys.argv[start:end]]
    output = sys.argv[sys.argv.index("--output") + 1]
    pathlib.Path(output, "comparison.json").write_text(json.dumps(found))
"""


@pytest.fixture
def sdk() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    with offline("us-east-1"):
        yield
    logging.disable(before)


def authored(task: SummaryTask) -> dict[str, Any]:
    """The steps of the task's candidates behind others that stand for Prepare, the models' answers and Evaluate."""
    # The SDK makes AWS clients already while it is imported.
    from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from stacks.pipeline.authoring import PipelineAuthor
    from stacks.pipeline.comparison import comparison_steps
    from stacks.pipeline.sdk_session import settings_checked_once

    with settings_checked_once():
        author = PipelineAuthor(task, load_stage("local"))

        def before(name: str, *outputs: str) -> Any:
            return author.processing(
                name,
                "training.stub",
                task.jobs.evaluate,
                role="arn:aws:iam::111111111111:role/any",
                inputs={},
                outputs={output: author.run_folder(f"{name}/{output}") for output in outputs},
                arguments={"output-folders": ",".join(outputs), "root": "/opt/ml"},
            )

        prepared, evaluated = before("Prepare", "train", "eval"), before("Evaluate", "evaluation")
        answered = {"pretrained": before("One", "predictions"), "fine-tuned": before("Two", "predictions")}
        steps = comparison_steps(author, task, prepared=prepared, evaluated=evaluated, answered=answered)
        pipeline = Pipeline(
            "local-notes",
            parameters=author.parameters.all(),
            steps=[prepared, *answered.values(), evaluated, *steps],
            sagemaker_session=author.session,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
        )
        definition: dict[str, Any] = json.loads(pipeline.definition())
        return definition


def code() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (("__init__", ""), ("stub", STUB), ("answer_candidate", ANSWER), ("compare", COMPARE)):
            content = textwrap.dedent(text).encode()
            member = tarfile.TarInfo(f"training/{name}.py")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.usefixtures("sdk")
def test_each_candidate_answers_and_all_are_compared(emulator: Emulator, tmp_path: Path) -> None:
    task = load_task(TASKS_FOLDER / "clinical_notes.yaml", "local")
    assert isinstance(task, SummaryTask)
    emulator.s3.put(f"s3://{PLACEHOLDERS.source_bucket}/{PLACEHOLDERS.source_key}", code())
    handler = write_handler_archive(TASKS_FOLDER / "handlers" / "lead_sentences", tmp_path / "handler.tar.gz")
    emulator.s3.put(handler_uri("lead-sentences"), handler.read_bytes())
    emulator.s3.put(f"s3://{PLACEHOLDERS.bucket}/models/SmolLM2-135M-Instruct/model.gguf", "weights")

    given = {name: "s3://bucket/x" for name in ("Manifest", "Champion")} | {"DataVersion": "1"}
    arn = emulator.run(authored(task), parameters=given)
    assert set(emulator.statuses(arn).values()) == {"Succeeded"}, emulator.steps(arn)
    (key,) = (
        key for key in emulator.s3.keys(f"s3://{PLACEHOLDERS.bucket}/runs/clinical_notes/") if "/comparison/" in key
    )
    assert json.loads(emulator.s3.get(f"s3://{PLACEHOLDERS.bucket}/{key}")) == [
        {"name": "small-language-model", "answer": None, "sets": ["first", "second"]},
        {"name": "lead-sentences", "answer": {"generated_text": "One. Two."}, "sets": ["first", "second"]},
    ]
