"""The pipeline's definition, as it is deployed."""

import copy
import importlib
import importlib.metadata
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.conftest import EVENTS, JUMPSTART, PIPELINES, VARIANTS
from tests.stacks.shapes import problems, steps
from training.job import parse_arguments

Definition = Mapping[str, Any]

# What SageMaker puts in the place of a variable.
_WHEN_IT_RUNS = {
    '{"Get": "Execution.PipelineExecutionId"}': "abcdefgh1234",
    '{"Get": "Execution.StartDateTime"}': "2026-01-31T23:59:59.123Z",
    '{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}}': "3.0",
    '{"Get": "Parameters.GenerateInstanceType"}': "ml.g5.2xlarge",
    '{"Get": "Steps.FineTune.TrainingJobName"}': "pipelines-abcdefgh1234-FineTune-0123456789",
    **{
        json.dumps({"Get": f"Steps.Tune.BestTrainingJob.TunedHyperParameters['{name}']"}): value
        for name, value in (
            ("learning_rate", "0.0001"),
            ("max_seq_length", "64"),
            ("train_batch_size", "16"),
            ("model_name", "owner/encoder"),
        )
    },
}


@pytest.mark.parametrize("stage", PIPELINES)
def test_every_steps_arguments_are_what_sagemaker_takes(definitions: Mapping[str, Definition], stage: str) -> None:
    assert problems(definitions[stage]) == []


def test_the_check_of_arguments_finds_mistakes(definitions: Mapping[str, Definition]) -> None:
    broken = copy.deepcopy(dict(definitions["dev"]))
    by_name = {step["Name"]: step["Arguments"] for step in broken["Steps"]}
    del by_name["FineTune"]["RoleArn"]
    by_name["Prepare"]["ProcessingInputs"][0]["S3Input"]["S3DataType"] = "S3prefix"
    by_name["Evaluate"]["AppSpecification"]["ContainerArguments"].append("line\nbreak")
    by_name["StageModel"]["Colour"] = "blue"
    found = "\n".join(problems(broken))
    assert "RoleArn" in found
    assert "S3prefix" in found
    assert "line\\nbreak" in found
    assert "Colour" in found


def test_steps_and_their_order(definitions: Mapping[str, Definition]) -> None:
    names = [step["Name"] for step in steps(definitions["dev"])]
    assert sorted(names) == sorted(
        ["StageModel", "Prepare", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate", "Gate", "Register"]
    )
    by_name = {step["Name"]: json.dumps(step["Arguments"]) for step in steps(definitions["dev"])}
    needs = {
        "FineTune": {"Prepare", "StageModel"},
        "GeneratePretrained": {"Prepare", "StageModel"},
        "GenerateFineTuned": {"Prepare", "FineTune"},
        "Evaluate": {"Prepare", "FineTune", "GeneratePretrained", "GenerateFineTuned"},
        "Register": {"StageModel", "FineTune", "GenerateFineTuned", "Evaluate"},
    }
    for step, sources in needs.items():
        assert {name for name in names if f"Steps.{name}." in by_name[step]} == sources


@pytest.mark.parametrize("stage", VARIANTS)
def test_every_script_accepts_the_arguments_that_it_is_given(
    definitions: Mapping[str, Definition], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = parsed_arguments(definitions[stage], monkeypatch, own_training=stage != JUMPSTART)
    assert len(parsed) == 6
    # JumpStart's script gets the prompt in the template that Prepare writes.
    tuned = {parsed["Prepare"].jumpstart_prompt if stage == JUMPSTART else parsed["FineTune"].prompt_template}
    tuned |= {parsed["GenerateFineTuned"].prompt_template}
    assert len(tuned) == 1, "training and generation must ask with the same words"
    plain = {parsed[name].prompt_template for name in ("StageModel", "GeneratePretrained")}
    assert plain == {prompt.replace("{similar}", "") for prompt in tuned}
    fates = {name: one.long_inputs for name, one in parsed.items() if hasattr(one, "long_inputs")}
    assert set(fates.values()) == {"split"}
    assert {"StageModel", "GeneratePretrained", "GenerateFineTuned"} <= fates.keys()
    retrieval = {"{similar}" in prompt for prompt in tuned}
    assert retrieval == {parsed["Evaluate"].retrieval} == {stage == "local"}


@pytest.mark.parametrize("stage", EVENTS)
def test_every_script_of_a_classifier_is_told_the_same_labels(
    definitions: Mapping[str, Definition], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = parsed_arguments(definitions[stage], monkeypatch, own_training=True)
    assert {
        "StageModel",
        "Prepare",
        "Tune",
        "FineTune",
        "ClassifyBase",
        "GenerateExamples",
        "Evaluate",
    } <= parsed.keys()
    # A trained model holds its labels, and the one that writes examples is told them when it is asked.
    without = ("ClassifyFineTuned", "StageGenerator")
    told = {(one.positive_label, one.negative_label) for name, one in parsed.items() if name not in without}
    assert told == {("Adverse_Event", "Not_AE")}
    tried = definition_step(definitions[stage], "Tune")["HyperParameterTuningJobConfig"]["ParameterRanges"]
    (longest,) = (one["Values"] for one in tried["CategoricalParameterRanges"] if one["Name"] == "max_seq_length")
    staged = {parsed[name].max_input_tokens for name in parsed if name.startswith("StageModel")}
    assert staged == {max(map(int, [*longest, parsed["ClassifyBase"].max_seq_length]))}


def test_each_encoder_of_a_search_is_staged_into_the_channel_of_its_name(
    definitions: Mapping[str, Definition],
) -> None:
    tune = definition_step(definitions["events dev"], "Tune")
    (names,) = (
        one["Values"]
        for one in tune["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"]
        if one["Name"] == "model_name"
    )
    assert len(names) == 5
    channels = {
        one["ChannelName"]: json.dumps(one["DataSource"]["S3DataSource"]["S3Uri"])
        for one in tune["TrainingJobDefinition"]["InputDataConfig"]
    }
    steps_by_model = {}
    for step in steps(definitions["events dev"]):
        if step["Name"].startswith("StageModel"):
            command = step["Arguments"]["AppSpecification"]["ContainerArguments"]
            steps_by_model[command[command.index("--model-id") + 1]] = step["Name"]
    for name in names:
        assert f"Steps.{steps_by_model[name]}." in channels[name.replace("/", "--")]
    assert channels.keys() == {"train", "validation", "code", *(name.replace("/", "--") for name in names)}


def definition_step(definition: Definition, name: str) -> dict[str, Any]:
    (found,) = (step["Arguments"] for step in steps(definition) if step["Name"] == name)
    return dict(found)


def hyperparameters(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of a training job; of a tuning job those of a job that it might start."""
    if "HyperParameters" in arguments:
        return dict(arguments["HyperParameters"])
    ranges = arguments["HyperParameterTuningJobConfig"]["ParameterRanges"]
    tried = {one["Name"]: one["Values"][0] for one in ranges["CategoricalParameterRanges"]}
    tried |= {one["Name"]: one["MinValue"] for one in ranges["ContinuousParameterRanges"]}
    return {**arguments["TrainingJobDefinition"]["StaticHyperParameters"], **tried}


def parsed_arguments(definition: Definition, monkeypatch: pytest.MonkeyPatch, *, own_training: bool) -> dict[str, Any]:
    """Step -> its arguments as its script reads them; without JumpStart's script, which is not ours."""
    for variable in (
        "CHANNEL_TRAIN",
        "CHANNEL_VALIDATION",
        "CHANNEL_MODEL",
        "MODEL_DIR",
        "OUTPUT_DATA_DIR",
        "OUTPUT_DIR",
    ):
        monkeypatch.setenv(f"SM_{variable}", f"/opt/ml/{variable.lower()}")
    parsed = {}
    for step in steps(definition):
        if step["Type"] == "Processing":
            module, *argv = step["Arguments"]["AppSpecification"]["ContainerArguments"]
        elif step["Type"] == "Tuning" or (step["Type"] == "Training" and own_training):
            given = hyperparameters(step["Arguments"]).items()
            module = f"training.{dict(given)['sagemaker_program'].removesuffix('_entry.py')}"
            argv = [part for name, value in given if not name.startswith("sagemaker_") for part in (f"--{name}", value)]
        else:
            continue
        argv = [part if isinstance(part, str) else _WHEN_IT_RUNS[json.dumps(part)] for part in argv]
        parsed[step["Name"]] = parse_arguments(importlib.import_module(module).Arguments, argv)
    return parsed


def test_with_retrieval_the_tuned_model_gets_the_index_and_nothing_with_network_does(
    definitions: Mapping[str, Definition],
) -> None:
    by_name = {step["Name"]: step["Arguments"] for step in steps(definitions["local"])}
    channels = {channel["ChannelName"] for channel in by_name["FineTune"]["InputDataConfig"]}
    assert channels == {"train", "validation", "model", "code", "similar"}
    assert "similar" in {one["OutputName"] for one in by_name["Prepare"]["ProcessingOutputConfig"]["Outputs"]}
    for stage, definition in definitions.items():
        for step in steps(definition):
            if step["Type"] == "Processing" and not step["Arguments"]["NetworkConfig"]["EnableNetworkIsolation"]:
                # Candidates are asked about records, over the network where their kind needs it.
                more = {"train", "eval"} if step["Name"].startswith("Answer") else set()
                assert {one["InputName"] for one in step["Arguments"]["ProcessingInputs"]} == {"code"} | more, stage


def test_of_the_shipped_tasks_only_steps_that_fetch_from_the_hub_have_network(
    definitions: Mapping[str, Definition],
) -> None:
    for stage, definition in definitions.items():
        for step in steps(definition):
            arguments = step["Arguments"]
            if step["Type"] == "Processing":
                isolated = arguments["NetworkConfig"]["EnableNetworkIsolation"]
            elif step["Type"] == "Training":
                isolated = arguments["EnableNetworkIsolation"]
            else:
                continue
            at_hub = step["Name"].startswith(("Stage", "AnswerFlan")) and "local" not in stage and stage != JUMPSTART
            assert isolated == (not at_hub), (stage, step["Name"])


@pytest.mark.parametrize("stage", PIPELINES)
def test_isolated_training_finds_its_code_in_a_channel(definitions: Mapping[str, Definition], stage: str) -> None:
    (arguments,) = [step["Arguments"] for step in steps(definitions[stage]) if step["Name"] == "FineTune"]
    assert arguments["EnableNetworkIsolation"] is True
    channels = {c["ChannelName"]: c["DataSource"]["S3DataSource"] for c in arguments["InputDataConfig"]}
    assert (channels["code"]["S3DataType"], channels["code"]["S3DataDistributionType"]) == (
        "S3Prefix",
        "FullyReplicated",
    )
    # SageMaker puts the object of a prefix that is its whole key into the channel under the last part of that key.
    name = channels["code"]["S3Uri"].rpartition("/")[2]
    assert re.fullmatch(r"[0-9a-f]{64}\.gz" if stage != JUMPSTART else r"sourcedir\.tar\.gz", name)
    assert arguments["HyperParameters"]["sagemaker_submit_directory"] == f"/opt/ml/input/data/code/{name}"


@pytest.mark.parametrize("stage", PIPELINES)
def test_everything_that_jobs_write_is_encrypted_with_the_stages_key(
    definitions: Mapping[str, Definition], stage: str
) -> None:
    for step in steps(definitions[stage]):
        arguments = step["Arguments"]
        if step["Type"] == "Processing":
            assert "key/key" in arguments["ProcessingOutputConfig"]["KmsKeyId"]
        elif step["Type"] == "Training":
            assert "key/key" in arguments["OutputDataConfig"]["KmsKeyId"]


def test_a_volume_key_is_given_only_where_the_machine_takes_one(definitions: Mapping[str, Definition]) -> None:
    by_name = {step["Name"]: step["Arguments"] for step in steps(definitions["dev"])}
    prepare = by_name["Prepare"]["ProcessingResources"]["ClusterConfig"]
    assert prepare["InstanceType"].startswith("ml.m5.")
    assert "VolumeKmsKeyId" in prepare
    # ml.p4d and ml.g6e have disks of their own.
    assert "VolumeKmsKeyId" not in by_name["FineTune"]["ResourceConfig"]
    assert "VolumeKmsKeyId" not in by_name["GenerateFineTuned"]["ProcessingResources"]["ClusterConfig"]


def test_a_run_is_started_for_a_data_version_and_can_be_steered(definitions: Mapping[str, Definition]) -> None:
    parameters = {parameter["Name"]: parameter for parameter in definitions["dev"]["Parameters"]}
    for needed in ("DataVersion", "Manifest", "Champion"):
        assert "DefaultValue" not in parameters[needed]
    assert parameters["ApprovalStatus"]["DefaultValue"] == "PendingManualApproval"
    assert parameters["Epochs"]["DefaultValue"] == 3.0
    assert "FineTuneInstanceType" in parameters
    assert "GenerateInstanceType" in parameters


@pytest.mark.parametrize("stage", PIPELINES)
def test_jobs_are_cached_and_tried_again(definitions: Mapping[str, Definition], stage: str) -> None:
    for step in definitions[stage]["Steps"]:
        if step["Type"] in ("Processing", "Training"):
            assert step["RetryPolicies"], step["Name"]
            # These two write the run's own rows, so their results are never another run's.
            assert ("CacheConfig" in step) == (step["Name"] not in ("Evaluate", "Compare"))


def test_the_metrics_regexes_read_the_lines_that_training_prints(definitions: Mapping[str, Definition]) -> None:
    (fine_tune,) = (step for step in definitions["dev"]["Steps"] if step["Name"] == "FineTune")
    regexes = {m["Name"]: m["Regex"] for m in fine_tune["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"]}
    line = "{'loss': 2.3456, 'learning_rate': 0.0003, 'epoch': 0.5, 'step': 40}"
    assert re.findall(regexes["train_loss"], line) == ["2.3456"]
    assert re.findall(regexes["val_loss"], line) == []
    line = "{'eval_loss': 2.1, 'epoch': 1.0, 'step': 80}"
    assert re.findall(regexes["val_loss"], line) == ["2.1"]
    assert re.findall(regexes["train_loss"], line) == []
    assert re.findall(regexes["epoch"], line) == ["1.0"]


def test_definition_fits_sagemakers_limit(definitions: Mapping[str, Definition]) -> None:
    assert all(len(json.dumps(definition)) < 2**20 for definition in definitions.values())


def test_code_archive_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    from stacks.pipeline.source_archive import write_source_archive

    first = write_source_archive(tmp_path / "first").read_bytes()
    second = write_source_archive(tmp_path / "second").read_bytes()
    assert first == second


def test_what_travels_with_the_code_is_python_alone() -> None:
    """Compiled code would be that of the machine that synthesises, not the image's."""
    from stacks.pipeline.source_archive import VENDORED

    for name in VENDORED:
        files = importlib.metadata.files(name)
        assert files
        assert not [file for file in files if file.suffix in (".so", ".pyd", ".dylib", ".dll")], name
