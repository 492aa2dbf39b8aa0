"""Stage and task files: what is read, what is refused and how that is said."""

from pathlib import Path

import pytest
import yaml

from stacks.config import (
    REPOSITORY,
    STAGES_FILE,
    TASKS_FOLDER,
    ClassificationTask,
    load_stage,
    load_task,
    load_tasks,
)
from stacks.errors import ConfigurationError

RADIOLOGY = TASKS_FOLDER / "radiology_impressions.yaml"
EVENTS = TASKS_FOLDER / "adverse_events.yaml"


def changed_task(folder: Path, dotted: str, value: object) -> Path:
    """A copy of the radiology task with one value changed; `...` takes it away."""
    content = yaml.safe_load(RADIOLOGY.read_text(encoding="utf-8"))
    *parents, name = dotted.split(".")
    place = content
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    file = folder / RADIOLOGY.name
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_what_ships_is_valid(stage: str) -> None:
    assert load_stage(stage).name == stage
    assert "radiology_impressions" in [task.name for task in load_tasks(stage)]


def test_on_aws_the_default_is_the_articles() -> None:
    (task,) = [task for task in load_tasks("dev") if task.name == "radiology_impressions"]
    assert (task.model.source, task.model.id) == ("huggingface", "google/flan-t5-xl")
    assert (task.training.epochs, task.data.validation_fraction) == (3.0, 0.05)
    assert not any("ml.p3" in job["instance_type"] for job in task.jobs.model_dump(exclude_none=True).values())


def test_a_stage_overrides_single_values() -> None:
    local = load_task(RADIOLOGY, "local")
    aws = load_task(RADIOLOGY, "dev")
    assert local.model.source == "stand_in"
    assert local.training.max_seconds > 0
    assert local.data == aws.data


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("training.epochs", 0.0, "training.epochs: Input should be greater than 0, got 0.0"),
        ("training.epochs", "three", "training.epochs: Input should be a valid number, got 'three'"),
        ("training.epoch", 3.0, "training.epoch: Extra inputs are not permitted"),
        ("fields.input", ..., "fields.input: Field required"),
        ("training.max_target_tokens", ..., "training.max_target_tokens is needed with model.source huggingface"),
        ("prompt", "no place for the text", "prompt must hold {input} exactly once"),
        ("prompt", "{input}" + "x" * 256, "prompt: String should have at most 256 characters"),
        ("model.revision", "main", "model.revision: String should match pattern"),
        ("model.source", "s3", "source s3 takes ['s3_uri'], got ['id', 'revision']"),
        ("generation.num_return_sequences", 4, "num_return_sequences must be <= num_beams (1), got 4"),
        ("generation.num_beams", 4, "num_beams above 1 belongs to method beams, got 4 with greedy"),
        ("generation.method", "beams", "num_beams above 1 belongs to method beams, got 1 with beams"),
        ("generation.method", "mbr", "samples and temperature belong to method mbr, got [] with mbr"),
        ("generation.long_inputs", "cut", "generation.long_inputs: Input should be 'split' or 'refuse', got 'cut'"),
        ("retrieval", True, "prompt must hold {similar} exactly once with retrieval, and nowhere without it"),
        ("prompt", "{input}{similar}", "prompt must hold {similar} exactly once with retrieval"),
        ("serving.similar_text", True, "serving.similar_text needs retrieval"),
        ("serving.similar_text", "text", "serving.similar_text: Input should be a valid boolean, got 'text'"),
        ("metrics", [{"name": "loss", "regex": "loss"}], "must have exactly one group"),
        ("metrics", [{"name": "loss", "regex": "("}], "not a regular expression"),
        ("jobs.prepare.instance_type", "m5.large", "jobs.prepare.instance_type: String should match pattern"),
        ("jobs.prepare.instance_count", 2, "jobs.prepare.instance_count must be 1"),
        ("data.max_bad_share", 1.5, "data.max_bad_share: Input should be less than 1, got 1.5"),
    ],
)
def test_what_is_not_allowed_is_refused_with_file_field_and_value(
    tmp_path: Path, dotted: str, value: object, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_task(changed_task(tmp_path, dotted, value), "dev")
    assert said in str(caught.value)
    assert str(caught.value).startswith("radiology_impressions.yaml: ")


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    changed_task(tmp_path, "training.epochs", 0.0)
    file = tmp_path / RADIOLOGY.name
    file.write_text(
        file.read_text(encoding="utf-8").replace("max_bad_share: 0.01", "max_bad_share: 2.0"), encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_task(file, "dev")
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_is_not_yaml_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("a: [1, 2", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broken\.yaml: not YAML"):
        load_task(file, "dev")


def test_an_unknown_stage_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigurationError, match="no stage 'production'; there are dev, local, prod"):
        load_stage("production")


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no task file"):
        load_tasks("dev", tmp_path)


def test_a_name_too_long_for_an_endpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ("a" * 40 + ".yaml")
    file.write_text(RADIOLOGY.read_text(encoding="utf-8"), encoding="utf-8")
    task = load_task(file, "dev")
    with pytest.raises(ConfigurationError, match="give the task file a shorter name"):
        load_stage("dev").name_for(task)


def test_files_lie_where_users_are_told_to_edit_them() -> None:
    assert STAGES_FILE.parent == REPOSITORY
    assert TASKS_FOLDER == REPOSITORY / "tasks"


def changed_event_task(folder: Path, **changed: object) -> Path:
    """A copy of the adverse event task with top-level values changed."""
    content = yaml.safe_load(EVENTS.read_text(encoding="utf-8")) | changed
    file = folder / EVENTS.name
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def test_on_aws_adverse_events_are_the_articles() -> None:
    task = load_task(EVENTS, "dev")
    assert isinstance(task, ClassificationTask)
    assert (task.model.source, task.model.id) == ("huggingface", "monologg/biobert_v1.1_pubmed")
    assert task.training.epochs == 10.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "regression"}, "kind: must be one of summary, classification, got 'regression'"),
        ({"labels": {"positive": "Yes", "negative": "yes"}}, "labels: must be two different names, got 'Yes' twice"),
        ({"prompt": "{input}"}, "prompt: Extra inputs are not permitted"),
        ({"model": {"source": "jumpstart", "id": "a"}}, "model.source must be huggingface or s3"),
        ({"model": {"source": "stand_in", "denoise_seconds": 1.0}}, "model.source must be huggingface or s3"),
        ({"serving": {"live": {"instance_type": "ml.m5.xlarge"}, "similar_text": True}}, "serving.similar_text: Extra"),
    ],
)
def test_what_a_classification_task_is_not_allowed(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_task(changed_event_task(tmp_path, **changed), "dev")
    assert said in str(caught.value)
    assert "adverse_events.yaml" in str(caught.value)


def test_a_model_in_the_stages_own_bucket_is_read_nowhere_else() -> None:
    model = load_task(EVENTS, "local").model
    assert (model.own_key, model.elsewhere) == ("models/all-MiniLM-L6-v2", ())
    elsewhere = model.model_copy(update={"s3_uri": "s3://another/model"})
    assert (elsewhere.own_key, elsewhere.elsewhere) == (None, ("s3://another/model",))
