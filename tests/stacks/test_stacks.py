"""What is provisioned."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from stacks.config import TASKS_FOLDER
from tests.stacks.conftest import RADIOLOGY, REPOSITORY, VARIANTS, resolve, synthesised
from training.table_schemas import TABLES

Templates = Mapping[str, Mapping[str, Template]]

# Actions that AWS offers for every resource only, or that name nothing yet when they are asked for.
_ON_EVERYTHING = {
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "cloudwatch:DescribeAlarms",
    "sagemaker:ListModels",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
}


def test_the_bucket_is_private_versioned_encrypted_and_speaks_tls_only(templates: Templates) -> None:
    storage = templates["prod"]["Storage"]
    storage.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
                        },
                    }
                ]
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            "LoggingConfiguration": Match.object_like({"DestinationBucketName": Match.any_value()}),
        },
    )
    for bucket in storage.find_resources("AWS::S3::Bucket").values():
        assert bucket["Properties"]["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
    storage.has_resource_properties(
        "AWS::S3::BucketPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Effect": "Deny",
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                                "Action": "s3:*",
                            }
                        )
                    ]
                )
            }
        },
    )
    storage.has_resource_properties("AWS::KMS::Key", {"EnableKeyRotation": True})


def test_data_outlives_the_stack_only_where_the_stage_says_so(templates: Templates) -> None:
    for stage, kept in (("prod", True), ("dev", False), ("local", False)):
        storage = templates[stage]["Storage"]
        for kind in ("AWS::S3::Bucket", "AWS::KMS::Key"):
            for resource in storage.find_resources(kind).values():
                assert resource["DeletionPolicy"] == ("Retain" if kept else "Delete"), (stage, kind)


@pytest.mark.parametrize("stage", VARIANTS)
def test_nothing_but_data_outlives_its_stack(templates: Templates, stage: str) -> None:
    for name in ("Training", "Serving", "Analytics"):
        for logical_id, resource in templates[stage][name].to_json()["Resources"].items():
            assert resource.get("DeletionPolicy", "Delete") == "Delete", (name, logical_id)


@pytest.mark.parametrize("stage", VARIANTS)
def test_no_policy_allows_every_action_and_few_allow_every_resource(templates: Templates, stage: str) -> None:
    for where, statement in _statements(templates[stage]):
        actions = _list(statement["Action"])
        assert not any(action == "*" or action.endswith(":*") for action in actions), (where, actions)
        if "*" in _list(statement["Resource"]):
            assert set(actions) <= _ON_EVERYTHING, (where, actions)


@pytest.mark.parametrize("stage", VARIANTS)
def test_no_role_has_a_full_access_policy(templates: Templates, stage: str) -> None:
    for template in templates[stage].values():
        for role in template.find_resources("AWS::IAM::Role").values():
            assert "FullAccess" not in json.dumps(role)


def test_each_kind_of_job_has_its_own_role_and_writes_to_its_own_folder(templates: Templates) -> None:
    training = templates["dev"]["Training"]
    writes = {}
    for name, policy in training.find_resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "s3:PutObject" in _list(statement["Action"]) and "RadiologyImpressions" in name:
                writes[name.split("RadiologyImpressions")[1].split("Role")[0]] = json.dumps(statement["Resource"])
    assert set(writes) == {"StageModel", "Prepare", "FineTune", "Generate", "Evaluate"}
    folders = {"StageModel": "staged", "Prepare": "prepared", "FineTune": "training", "Generate": "answers"}
    for job, folder in folders.items():
        assert f"/runs/radiology_impressions/*/{folder}/*" in writes[job]
        assert "tables" not in writes[job]
        assert "uploads" not in writes[job]
    # Below these lies the partition of the newest run too.
    for table in ("predictions", "scores", "training_curve"):
        assert f"/tables/{table}/task=radiology_impressions/*" in writes["Evaluate"]
    assert "/tables/runs/" not in writes["Evaluate"]


@pytest.mark.parametrize("stage", VARIANTS)
def test_queues_are_encrypted_and_what_fails_is_kept(templates: Templates, stage: str) -> None:
    for name in ("Training", "Serving"):
        for queue in templates[stage][name].find_resources("AWS::SQS::Queue").values():
            assert "KmsMasterKeyId" in queue["Properties"]
        for rule in templates[stage][name].find_resources("AWS::Events::Rule").values():
            for target in rule["Properties"]["Targets"]:
                assert "DeadLetterConfig" in target
    (mapping,) = templates[stage]["Training"].find_resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_uploads_are_decided_about_one_at_a_time_after_they_settled(templates: Templates) -> None:
    training = templates["dev"]["Training"]
    training.has_resource_properties(
        "AWS::SQS::Queue",
        {"FifoQueue": True, "DelaySeconds": 60, "ContentBasedDeduplication": True, "RedrivePolicy": Match.any_value()},
    )
    training.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"SETTLE_SECONDS": "60", "STAGE": "dev"})}},
    )


@pytest.mark.parametrize("stage", VARIANTS)
def test_functions_logs_are_encrypted_and_kept_for_a_year(templates: Templates, stage: str) -> None:
    for name in ("Training", "Serving"):
        template = templates[stage][name]
        groups = template.find_resources("AWS::Logs::LogGroup").values()
        assert groups
        for group in groups:
            assert group["Properties"]["RetentionInDays"] == 365
            assert "KmsKeyId" in group["Properties"]
        for function in template.find_resources("AWS::Lambda::Function").values():
            assert function["Properties"]["Handler"].startswith("lambdas.")
            assert "KmsKeyArn" in function["Properties"]


def test_no_endpoint_is_in_a_template_and_the_custom_resource_names_them(templates: Templates) -> None:
    serving = templates["dev"]["Serving"]
    for kind in ("Endpoint", "EndpointConfig", "Model"):
        serving.resource_count_is(f"AWS::SageMaker::{kind}", 0)
    serving.has_resource_properties(
        "Custom::RollOut",
        {
            "Task": "radiology_impressions",
            "ModelPackageGroup": "dev-radiology-impressions",
            "LiveEndpoint": "dev-radiology-impressions",
            "PretrainedEndpoint": "dev-radiology-impressions-pretrained",
        },
    )


def test_roll_out_is_told_whether_answers_may_hold_training_text(templates: Templates, tmp_path: Path) -> None:
    shipped = (TASKS_FOLDER / "radiology_impressions.yaml").read_text(encoding="utf-8")
    assert "\n  similar_text: false\n" in shipped
    permitting = tmp_path / "radiology_impressions.yaml"
    permitting.write_text(shipped.replace("similar_text: false", "similar_text: true"), encoding="utf-8")
    # Stage local: it has retrieval, without which the setting is refused.
    permitted = synthesised(stage="local", tasks=str(tmp_path))["Serving"]
    for template, expected in ((permitted, "true"), (templates["local"]["Serving"], "false")):
        (function,) = template.find_resources("AWS::Lambda::Function").values()
        found = template.find_resources("Custom::RollOut")
        (roll_out,) = (one for name, one in found.items() if name.startswith(RADIOLOGY))
        # CloudFormation wakes the function only if what the resource says has changed.
        for told in (function["Properties"]["Environment"]["Variables"]["TASKS"], roll_out["Properties"]["Settings"]):
            assert f'"similar_text":{expected}' in resolve(told)


def test_on_destroy_the_rules_go_before_the_endpoints(templates: Templates) -> None:
    serving = templates["dev"]["Serving"]
    roll_outs = set(serving.find_resources("Custom::RollOut"))
    for rule in serving.find_resources("AWS::Events::Rule").values():
        assert roll_outs <= set(rule["DependsOn"])


def test_an_update_of_the_live_endpoint_is_rolled_back_by_alarms_on_it(templates: Templates) -> None:
    serving = templates["dev"]["Serving"]
    properties = [alarm["Properties"] for alarm in serving.find_resources("AWS::CloudWatch::Alarm").values()]
    alarms = {alarm["AlarmName"] for alarm in properties if alarm["Namespace"] == "AWS/SageMaker"}
    assert all(alarm["AlarmActions"] for alarm in properties)
    (function,) = serving.find_resources("AWS::Lambda::Function").values()
    variables = json.dumps(function["Properties"]["Environment"]["Variables"]["TASKS"])
    assert alarms
    assert all(name in variables for name in alarms)


def test_tables_are_those_of_the_schemas_with_projected_partitions(templates: Templates) -> None:
    glue = templates["dev"]["Analytics"].find_resources("AWS::Glue::Table").values()
    by_name = {table["Properties"]["TableInput"]["Name"]: table["Properties"]["TableInput"] for table in glue}
    assert set(by_name) == {table.name for table in TABLES}
    for table in TABLES:
        deployed = by_name[table.name]
        columns = deployed["StorageDescriptor"]["Columns"]
        assert [(column["Name"], column["Type"]) for column in columns] == [(c.name, c.type) for c in table.columns]
        assert [key["Name"] for key in deployed["PartitionKeys"]] == list(table.partitioned_by)
        assert deployed["Parameters"]["projection.enabled"] == "true"
        assert "radiology_impressions" in deployed["Parameters"]["projection.task.values"]
        kind = {"run_id": "injected", "month": "date", "day": "date"}[table.partitioned_by[1]]
        assert deployed["Parameters"][f"projection.{table.partitioned_by[1]}.type"] == kind


def test_athena_encrypts_results_and_stops_large_queries(templates: Templates) -> None:
    templates["dev"]["Analytics"].has_resource_properties(
        "AWS::Athena::WorkGroup",
        {
            "WorkGroupConfiguration": {
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": 10_000_000_000,
                "ResultConfiguration": {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS"}},
            }
        },
    )


def test_synth_needs_no_account_no_credentials_no_network_and_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    command = [str(REPOSITORY / ".venv" / "bin" / "python"), "app.py"]
    if (
        shutil.which("unshare")
        and subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    ):
        command = ["unshare", "--net", *command]
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"] | {"stage": "prod"}
    for name in ("first", "second"):
        environment = {
            "PATH": f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "CDK_OUTDIR": str(tmp_path / name),
            "CDK_CONTEXT_JSON": json.dumps(context),
        }
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    first, second = (_files(tmp_path / name) for name in ("first", "second"))
    assert len(first) > 8
    assert first == second


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _statements(stacks: Mapping[str, Template]) -> Iterator[tuple[str, dict[str, Any]]]:
    for template in stacks.values():
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for name, policy in template.find_resources(kind).items():
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                    yield name, statement


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
