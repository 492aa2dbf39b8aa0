"""docs/add-a-task.md agrees with the code, and the task that it leads to is deployed beside the shipped ones."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.config import REPOSITORY, TASKS_FOLDER, load_task
from stacks.hub import HUB_LOCK_NAME
from tests.stacks.conftest import pipeline_definition, synthesised
from tests.stacks.task_file_rules import rules_of_candidates, rules_of_machines, rules_of_models, rules_of_tasks
from training.readers import read_upload
from training.readers.upload import Upload
from training.records import Record

DOCUMENT = REPOSITORY / "docs" / "add-a-task.md"
EXAMPLE = REPOSITORY / "examples" / "ct_impressions" / "ct_impressions.yaml"
TEXT = DOCUMENT.read_text(encoding="utf-8")
STAGES = ("local", "dev", "prod")


def blocks(language: str) -> list[str]:
    """The document's fenced blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The lines that a reader is to type: everything that is indented."""
    return re.findall(r"^    (\S.*)$", re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


YAML = [yaml.safe_load(block) for block in blocks("yaml")]
COMPLETE = [content for content in YAML if "kind" in content]
ADDED = [content for content in YAML if "kind" not in content]


def added(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with what a block says, as the document tells a reader to do it."""
    merged = dict(base)
    for name, value in change.items():
        inner = isinstance(value, dict) and isinstance(merged.get(name), dict) and name != "model"
        merged[name] = added(merged[name], value) if inner else value
    return merged


def written(folder: Path, content: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / EXAMPLE.name
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("content", COMPLETE, ids=lambda content: content["kind"])
def test_a_smallest_file_is_a_task(tmp_path: Path, content: dict[str, Any], stage: str) -> None:
    assert load_task(written(tmp_path, content), stage).kind == content["kind"]


@pytest.mark.parametrize("content", COMPLETE, ids=lambda content: content["kind"])
def test_nothing_can_be_left_out_of_a_smallest_file(tmp_path: Path, content: dict[str, Any]) -> None:
    # But for what a file of this kind may not need: pooling says how this encoder was trained.
    leaves = {path for path in paths(content) if path != ("training", "pooling")}
    assert len(leaves) > 30
    for path in leaves:
        with pytest.raises(Exception, match=r"ct_impressions\.yaml"):
            load_task(written(tmp_path, without(content, path)), "dev")


def paths(content: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The places of all values."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in paths(value))
        else:
            yield (name,)


def without(content: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    first, *rest = path
    if not rest:
        return {name: value for name, value in content.items() if name != first}
    return content | {first: without(content[first], tuple(rest))}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("change", ADDED, ids=lambda change: "+".join(change))
def test_every_block_can_be_added(tmp_path: Path, change: dict[str, Any], stage: str) -> None:
    before = load_task(written(tmp_path, COMPLETE[0]), stage)
    after = load_task(written(tmp_path, added(COMPLETE[0], change)), stage)
    assert (before != after) == ("stages" not in change or stage in change["stages"])


def test_the_first_three_blocks_together_are_the_example(tmp_path: Path) -> None:
    content = COMPLETE[0]
    for change in ADDED[:3]:
        content = added(content, change)
    for stage in STAGES:
        made, example = (load_task(file, stage) for file in (written(tmp_path, content), EXAMPLE))
        assert made.model_dump(exclude={"folder"}) == example.model_dump(exclude={"folder"})


def rows_of(first: str) -> dict[str, str]:
    """Setting -> rule, of the document's table that begins with this setting."""
    tables = [re.findall(r"^\| `([^`|]+)` \| [^|]+ \| (.+) \|$", part, re.MULTILINE) for part in TEXT.split("\n\n")]
    (table,) = (rows for rows in tables if rows and rows[0][0] == first)
    assert len(table) == len(dict(table))
    return dict(table)


@pytest.mark.parametrize(
    ("first", "rules"),
    [
        ("kind", rules_of_tasks()),
        ("name", rules_of_candidates()),
        ("instance_type", rules_of_machines()),
        ("source", rules_of_models()),
    ],
    ids=["tasks", "candidates", "machines", "models"],
)
def test_every_setting_is_described_with_its_rule(first: str, rules: dict[str, str]) -> None:
    described = rows_of(first)
    assert described == rules, [f"| `{name}` | | {rules[name]} |" for name in rules.keys() - described.keys()]


def test_the_record_that_is_shown_is_read(tmp_path: Path) -> None:
    (line,) = blocks("json")
    file = tmp_path / "train.jsonl"
    file.write_text(line, encoding="utf-8")
    fields = load_task(EXAMPLE, "dev").fields
    (record,) = read_upload(Upload(file, file.name, ((fields.input, fields.target),)))
    assert isinstance(record, Record)
    assert (record.patient, record.normal) == ("invented-1-00400", False)
    assert json.loads(line)["impression"] == record.target


def makefile_targets() -> dict[str, str]:
    """Target -> its recipe."""
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):[^\n]*\n((?:\t[^\n]*\n)+)", text, re.MULTILINE))


def test_every_command_is_one_of_the_makefile_with_variables_that_it_reads() -> None:
    targets = makefile_targets()
    typed = [command.split("'")[0].split() for command in commands() if command.startswith("make ")]
    assert {command[1] for command in typed} >= {"synth", "demo", "local", "upload", "approve", "predict", "deploy"}
    for _, target, *variables in typed:
        recipe = targets[target].replace("$(CONTEXT)", "$(STAGE) $(TASKS)")
        for variable in (given.partition("=")[0] for given in variables):
            assert re.search(rf"\$\$?\(?{variable}\b", recipe), f"make {target} does not read {variable}"


def test_every_file_and_module_that_is_named_is_there() -> None:
    for module in re.findall(r"python -m ([\w.]+)", TEXT):
        assert (REPOSITORY / f"{module.replace('.', '/')}.py").is_file(), module
    for link in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (DOCUMENT.parent / link).exists(), link
    for folder in re.findall(r"TASKS=(examples/\S+)", TEXT):
        assert (REPOSITORY / folder).is_dir()


def test_a_value_that_is_not_allowed_is_named_as_the_document_says(tmp_path: Path) -> None:
    quoted = " ".join(re.findall(r"`(ct_impressions\.yaml: [^`]+)`", TEXT)[0].split())
    broken = added(COMPLETE[0], {"training": {"epochs": 0.0}})
    with pytest.raises(Exception, match=re.escape(quoted)):
        load_task(written(tmp_path, broken), "dev")


def test_the_example_is_deployed_beside_the_shipped_tasks(tmp_path: Path) -> None:
    shutil.copytree(TASKS_FOLDER, tmp_path / "tasks")
    shutil.copy(EXAMPLE, tmp_path / "tasks")
    lock = REPOSITORY / HUB_LOCK_NAME
    if lock.is_file():
        shutil.copy(lock, tmp_path)
    stacks = synthesised(stage="dev", tasks=str(tmp_path / "tasks"))

    shipped = [file.stem for file in TASKS_FOLDER.glob("*.yaml")]
    stacks["Training"].resource_count_is("AWS::SageMaker::Pipeline", len(shipped) + 1)
    definition = pipeline_definition(stacks["Training"], "CtImpressions")
    steps = {step["Name"]: step for step in definition["Steps"]}
    assert {"StageModel", "Prepare", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate"} <= steps.keys()
    training = steps["FineTune"]["Arguments"]
    assert "most critical finding first" in training["HyperParameters"]["prompt_template"]
    assert {metric["Name"] for metric in training["AlgorithmSpecification"]["MetricDefinitions"]} >= {"val_loss"}
