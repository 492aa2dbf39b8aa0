"""Candidates in the pipeline: their jobs, what these may do, and the comparison."""

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from local.emulator.pipelines.definition import parse_definition
from stacks.config import load_stage, load_task
from stacks.errors import ConfigurationError
from stacks.job_access import job_access
from stacks.pipeline import pipeline_definition
from stacks.pipeline.placeholders import Environment
from stacks.pipeline.source_archive import write_handler_archive
from tests.stacks import conftest
from tests.stacks.candidate_tasks import (
    BEDROCK,
    CONTAINER,
    ENDPOINT,
    FINE_TUNED,
    FROM_HUB,
    HANDLER,
    IN_BUCKET,
    without_answer,
    write_task,
)
from tests.stacks.conftest import NOTES
from tests.stacks.shapes import problems, steps
from tests.stacks.test_pipeline import Definition, parsed_arguments

ANSWERS = ("AnswerInBucket", "AnswerFromHub", "AnswerBedrock", "AnswerLastYear", "AnswerHandler")
OTHERS = ("AnswerEndpoint", "AnswerContainer")
# What SageMaker lets a processing job read from.
MOST_INPUTS = 10


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The training stack of two tasks, which have candidates of every kind between them."""
    folder = tmp_path_factory.mktemp("tasks")
    write_task(folder, ENDPOINT, CONTAINER).rename(folder / "ward_notes.yaml")
    write_task(folder, IN_BUCKET, FROM_HUB, BEDROCK, FINE_TUNED, HANDLER)
    return conftest.synthesised(stage="dev", tasks=str(folder))["Training"]


@pytest.fixture(scope="module")
def by_name(template: Template) -> Mapping[str, dict[str, Any]]:
    """Name -> step of both tasks' candidates; else of the task with five."""
    return {
        step["Name"]: step
        for task in ("WardNotes", "ClinicalNotes")
        for step in steps(conftest.pipeline_definition(template, task))
    }


def words(step: Mapping[str, Any]) -> list[Any]:
    return list(step["Arguments"]["AppSpecification"]["ContainerArguments"])


def given(step: Mapping[str, Any], name: str) -> Any:
    command = words(step)
    return command[command.index(f"--{name}") + 1]


def inputs(step: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> S3 URI, as text."""
    found = step["Arguments"]["ProcessingInputs"]
    return {one["InputName"]: json.dumps(one["S3Input"]["S3Uri"]) for one in found}


def test_candidates_of_every_kind_are_jobs_that_sagemaker_and_the_local_one_take(template: Template) -> None:
    for task in ("ClinicalNotes", "WardNotes"):
        definition = conftest.pipeline_definition(template, task)
        assert problems(definition) == []
        for step in steps(definition):
            assert len(step["Arguments"].get("ProcessingInputs", [])) <= MOST_INPUTS
        after = {name: step.after for name, step in parse_definition(definition).steps.items()}
        answers = {name for name in after if name.startswith("Answer")}
        assert answers == set(ANSWERS if task == "ClinicalNotes" else OTHERS)
        assert all(after[name] == {"Prepare", "Evaluate"} for name in answers), "no candidate is paid for too early"
        assert after["Compare"] == {*answers, "Prepare", "Evaluate", "GeneratePretrained", "GenerateFineTuned"}
        assert after["Gate"] == {"Evaluate"}, "no model waits for candidates"
    assert len(inputs({"Arguments": next(s["Arguments"] for s in steps(definition) if s["Name"] == "Compare")})) == 7


def test_the_comparison_of_most_candidates_has_as_many_inputs_as_a_job_may(by_name: Mapping[str, Any]) -> None:
    assert len(by_name["Compare"]["Arguments"]["ProcessingInputs"]) == MOST_INPUTS


def test_each_candidate_is_told_its_own(by_name: Mapping[str, Any]) -> None:
    assert given(by_name["AnswerInBucket"], "model") == "/opt/ml/processing/input/model"
    assert inputs(by_name["AnswerInBucket"])["model"] == '"s3://data-bucket/models/small"'
    assert (given(by_name["AnswerFromHub"], "model-id"), given(by_name["AnswerFromHub"], "revision")) == (
        "owner/model",
        "",
    )
    assert given(by_name["AnswerBedrock"], "model-id") == "us.maker.model-v1:0"
    assert inputs(by_name["AnswerLastYear"])["model"] == '"s3://elsewhere/models/bart/model.tar.gz"'
    assert given(by_name["AnswerEndpoint"], "endpoint") == "jumpstart-model"
    assert given(by_name["AnswerContainer"], "endpoint") == "own-container"
    for name in ANSWERS + OTHERS:
        step = by_name[name]
        assert {"code", "train", "eval"} <= inputs(step).keys()
        # The machine is the candidate's need and cost only where it answers on it.
        answers_itself = name not in ("AnswerBedrock", *OTHERS)
        assert ("--instance-type" in words(step)) == ("--dollars-per-hour" in words(step)) == answers_itself, name
        folder = json.dumps(step["Arguments"]["ProcessingOutputConfig"]["Outputs"])
        assert f'"answers/{given(step, "name")}"' in folder


def test_a_handler_is_an_asset_that_the_job_unpacks(by_name: Mapping[str, Any]) -> None:
    step = by_name["AnswerHandler"]
    folder = given(step, "handler")
    key = inputs(step)["handler"].strip('"').rpartition("/")[2]
    assert key.endswith(".gz") and len(key) == len("0" * 64 + ".gz"), "named after its content"
    command = step["Arguments"]["AppSpecification"]["ContainerEntrypoint"][-1]
    assert f"tar -xzf /opt/ml/processing/input/handler/*.gz -C {folder};" in command


def test_only_what_calls_or_fetches_has_network(by_name: Mapping[str, Any]) -> None:
    open_ones = {
        name for name in ANSWERS + OTHERS if not by_name[name]["Arguments"]["NetworkConfig"]["EnableNetworkIsolation"]
    }
    assert open_ones == {"AnswerFromHub", "AnswerBedrock", "AnswerEndpoint", "AnswerContainer"}
    for name in ANSWERS + OTHERS:
        # boto3 knows no region by itself in SageMaker's containers.
        environment = by_name[name]["Arguments"]["Environment"]
        assert ("AWS_DEFAULT_REGION" in environment) == (name in open_ones), name


def test_the_model_is_judged_before_anything_is_compared(template: Template) -> None:
    names = [step["Name"] for step in conftest.pipeline_definition(template, "WardNotes")["Steps"]]
    assert names[names.index("Evaluate") :] == ["Evaluate", "Gate", *OTHERS, "Compare"]


def test_each_candidates_role_may_do_what_its_kind_needs_and_no_more(
    template: Template, by_name: Mapping[str, Any]
) -> None:
    rights = {name: _rights(template, by_name[name]["Arguments"]["RoleArn"]) for name in ANSWERS + OTHERS}
    called = {
        name: {action: found for action, found in actions.items() if action.startswith(("bedrock:", "sagemaker:"))}
        for name, actions in rights.items()
    }
    assert {name for name in called if called[name]} == {"AnswerBedrock", *OTHERS}
    (bedrock,) = called["AnswerBedrock"].items()
    assert bedrock[0] == "bedrock:InvokeModel"
    assert [resource.partition(":bedrock:")[2].replace("AWS::AccountId", "1") for resource in bedrock[1]] == [
        "*::foundation-model/maker.model-v1:0",
        "us-east-1:111111111111:inference-profile/us.maker.model-v1:0",
    ]
    for name, endpoint in zip(OTHERS, ("jumpstart-model", "own-container"), strict=True):
        (right,) = called[name].items()
        assert right[0] == "sagemaker:InvokeEndpoint"
        assert [resource.rpartition(":")[2] for resource in right[1]] == [f"endpoint/{endpoint}"]
    for name, actions in rights.items():
        task = "ward_notes" if name in OTHERS else "clinical_notes"
        root, own = f"data-bucket/runs/{task}/*", f"answers/{given(by_name[name], 'name')}/*"
        assert actions["s3:PutObject"] == [f"{root}/{own}"]
        read = [one for one in actions["s3:GetObject"] if "data-bucket" in one]
        assert {f"{root}/prepared/train/*", f"{root}/prepared/eval/*", f"{root}/{own}"} <= set(read)
        assert ("data-bucket/models/small/*" in read) == (name == "AnswerInBucket")
        assert ("elsewhere/models/bart/model.tar.gz" in actions["s3:GetObject"]) == (name == "AnswerLastYear")


def _rights(template: Template, role: str) -> dict[str, list[str]]:
    """Action -> what a role may do it to; of S3 without the ARN's beginning."""
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"] == [{"Ref": role.rpartition("/")[2]}]
    )
    found: dict[str, list[str]] = {}
    for statement in policy:
        actions, resources = (
            value if isinstance(value, list) else [value] for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            found.setdefault(action, []).extend(_name(resource) for resource in resources)
    return found


def _name(resource: Any) -> str:
    text = conftest.resolve(resource)
    return text.removeprefix("arn:aws:s3:::")


def test_the_comparison_gets_every_candidates_answers_as_words_behind_one_flag(by_name: Mapping[str, Any]) -> None:
    command = words(by_name["Compare"])
    start = command.index("--candidates") + 1
    folders = command[start : start + len(ANSWERS)]
    assert command[start + len(ANSWERS)].startswith("--")
    sources = inputs(by_name["Compare"])
    for answer, folder in zip(ANSWERS, folders, strict=True):
        assert f"Steps.{answer}." in sources[folder.removeprefix("/opt/ml/processing/input/")]
    for name, step in (("evaluation-sets", "Prepare"), ("evaluation", "Evaluate"), ("fine-tuned", "GenerateFineTuned")):
        assert given(by_name["Compare"], name) == f"/opt/ml/processing/input/{name}"
        assert f"Steps.{step}." in sources[name]


@pytest.mark.parametrize("stage", NOTES)
def test_the_scripts_accept_what_the_shipped_task_gives_them(
    definitions: Mapping[str, Definition], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = parsed_arguments(definitions[stage], monkeypatch, own_training=True)
    asked = {name: one.kind for name, one in parsed.items() if name.startswith("Answer")}
    assert set(asked.values()) <= {"foundation", "bedrock", "custom"} and len(asked) >= 2
    assert len(parsed["Compare"].candidates) == len(asked)


def definition_of(file: Path, stage: str = "dev") -> dict[str, Any]:
    """Of a task whose roles and handlers are named as nothing real is."""
    task = load_task(file, stage)
    roles = {kind: f"arn:aws:iam::111111111111:role/{kind}" for kind in ("pipeline", *job_access(task, None))}
    names = Environment("bucket", "key", "assets", "source.gz", "source.gz", roles, {"handler": "s3://assets/own.gz"})
    return pipeline_definition(task, load_stage(stage), names)


def test_without_candidates_the_pipeline_is_as_if_there_were_no_such_thing(tmp_path: Path) -> None:
    plain = definition_of(write_task(tmp_path, jobs=without_answer(), candidates=..., choice=...))
    compared = definition_of(write_task(tmp_path, CONTAINER))
    assert [step for step in compared["Steps"] if not step["Name"].startswith(("Answer", "Compare"))] == plain["Steps"]
    without = load_task(write_task(tmp_path, jobs=without_answer(), candidates=..., choice=...), "dev")
    assert not {kind for kind in job_access(without, None) if kind.startswith(("answer", "compare"))}


def test_a_higher_attempt_and_another_machine_are_another_job(tmp_path: Path) -> None:
    again = {**IN_BUCKET, "attempt": 2, "instance_type": "ml.g5.2xlarge"}
    first, second = (
        next(step for step in definition_of(write_task(tmp_path, one))["Steps"] if step["Name"] == "AnswerInBucket")
        for one in (IN_BUCKET, again)
    )
    # Environment is what a step's cache goes by; no script reads it.
    assert [step["Arguments"]["Environment"] for step in (first, second)] == [{"ATTEMPT": "1"}, {"ATTEMPT": "2"}]
    assert given(second, "instance-type") == "ml.g5.2xlarge"
    assert given(second, "dollars-per-hour") == "1.515"
    # The candidate ends by itself before SageMaker ends its job, which would be a failure of the run.
    assert int(given(first, "max-seconds")) < first["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"]
    cluster = second["Arguments"]["ProcessingResources"]["ClusterConfig"]
    # This machine's disk is its own, and SageMaker takes no key for it.
    assert cluster["InstanceType"] == "ml.g5.2xlarge" and "VolumeKmsKeyId" not in cluster
    assert "VolumeKmsKeyId" in first["Arguments"]["ProcessingResources"]["ClusterConfig"]


def test_a_limit_of_dollars_needs_a_price_of_the_machine(tmp_path: Path) -> None:
    limited = {**IN_BUCKET, "max_dollars": 1.0}
    with pytest.raises(
        ConfigurationError, match=r"candidate in-bucket: max_dollars needs a price: give it dollars_per"
    ):
        definition_of(write_task(tmp_path, limited), "local")
    priced = definition_of(write_task(tmp_path, {**limited, "dollars_per_hour": 0.5}), "local")
    (step,) = (step for step in priced["Steps"] if step["Name"] == "AnswerInBucket")
    assert (given(step, "dollars-per-hour"), given(step, "max-dollars")) == ("0.5", "1.0")


def test_a_handlers_archive_holds_its_files_alone_and_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    handler = tmp_path / "own"
    for name in ("inference.py", "words/list.txt", "__pycache__/inference.pyc"):
        (handler / name).parent.mkdir(parents=True, exist_ok=True)
        (handler / name).write_text(name, encoding="utf-8")
    first = write_handler_archive(handler, tmp_path / "first.tar.gz")
    (handler / "inference.py").touch()
    second = write_handler_archive(handler, tmp_path / "second.tar.gz")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        assert archive.getnames() == ["inference.py", "words/list.txt"]
