"""The stack of event streams: what is woken by what, what is parked where, and who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks
from pydantic import ValidationError

from stacks.config.stream import Stream
from stacks.errors import ConfigurationError
from stacks.event_stream import RETRY_SECONDS
from stacks.settings import validated
from tests.stacks.conftest import resolve
from tests.stacks.events_app import TASK, events_app
from tests.stacks.test_recording import resources, statements, variables
from tests.stacks.test_rule_packs import accepted, broken_rules

SETTINGS = (Stream(notice_probability=0.8), Stream(texts_a_call=8, comprehend_medical=True))
FIRST, SECOND = "Task0ClassifyTexts", "Task1ClassifyTexts"


@pytest.fixture(scope="module")
def template() -> Template:
    """Two streams: one with notices, one with Comprehend Medical."""
    _, stacks = events_app("prod", *SETTINGS)
    return Template.from_stack(stacks["Events"])


def found(template: Template, kind: str, name: str) -> dict[str, Any]:
    """(the one resource of a kind whose logical id begins so)."""
    (resource,) = [resource for logical, resource in template.find_resources(kind).items() if logical.startswith(name)]
    return dict(resource)


def test_the_rule_packs_find_nothing_new(tmp_path: Path) -> None:
    app, _ = events_app("prod", *SETTINGS, folder=tmp_path)
    broken = broken_rules(app, tmp_path, AwsSolutionsChecks(app), HIPAASecurityChecks(app))
    assert {rule: broken[rule] for rule in broken.keys() - accepted()} == {}


def test_files_below_incoming_and_no_others_wake_read_incoming(template: Template) -> None:
    rule = found(template, "AWS::Events::Rule", "Task0Dropped")["Properties"]
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"prefix": f"uploads/{TASK}/incoming/"}]
    (target,) = rule["Targets"]
    assert "Task0Files" in json.dumps(target["Arn"])
    assert "Task0DeadFiles" in json.dumps(target["DeadLetterConfig"])
    mapping = found(template, "AWS::Lambda::EventSourceMapping", "Task0ReadIncoming")["Properties"]
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    assert "Task0Files" in json.dumps(mapping["EventSourceArn"])


def test_texts_are_batched_for_a_second_at_most(template: Template) -> None:
    mapping = found(template, "AWS::Lambda::EventSourceMapping", FIRST)["Properties"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 1)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    with_comprehend = found(template, "AWS::Lambda::EventSourceMapping", SECOND)["Properties"]
    assert with_comprehend["BatchSize"] == 10


@pytest.mark.parametrize(("queue", "function"), [("Texts", "ClassifyTexts"), ("Files", "ReadIncoming")])
def test_what_fails_is_tried_again_and_then_parked_with_an_alarm(template: Template, queue: str, function: str) -> None:
    properties = found(template, "AWS::SQS::Queue", f"Task0{queue}")["Properties"]
    timeout = found(template, "AWS::Lambda::Function", f"Task0{function}")["Properties"]["Timeout"]
    assert properties["VisibilityTimeout"] == 6 * timeout
    assert properties["RedrivePolicy"]["maxReceiveCount"] == len(RETRY_SECONDS) + 1
    dead = f"Task0Dead{queue}"
    assert dead in json.dumps(properties["RedrivePolicy"]["deadLetterTargetArn"])
    assert found(template, "AWS::SQS::Queue", dead)["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    alarm = found(template, "AWS::CloudWatch::Alarm", dead)["Properties"]
    assert (alarm["Threshold"], len(alarm["AlarmActions"])) == (1, 1)


def test_everything_that_holds_texts_or_ids_is_encrypted_with_the_stages_key(template: Template) -> None:
    for kind, name in (("AWS::SQS::Queue", "KmsMasterKeyId"), ("AWS::SNS::Topic", "KmsMasterKeyId")):
        held = template.find_resources(kind)
        assert held
        assert all("Key" in json.dumps(resource["Properties"][name]) for resource in held.values())
    template.all_resources_properties(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": Match.any_value()},
            "DeletionProtectionEnabled": True,
        },
    )
    assert all(t["DeletionPolicy"] == "Retain" for t in template.find_resources("AWS::DynamoDB::Table").values())


def test_a_lease_is_longer_than_the_function_may_run(template: Template) -> None:
    timeout = found(template, "AWS::Lambda::Function", FIRST)["Properties"]["Timeout"]
    assert int(variables(template, FIRST)["LEASE_SECONDS"]) > timeout


def test_classify_texts_may_ask_its_endpoint_and_write_its_rows_and_no_others(template: Template) -> None:
    (endpoint,) = resources(template, FIRST, "sagemaker:InvokeEndpoint")
    assert endpoint.endswith(":endpoint/classifier")
    for action in ("s3:PutObject", "s3:GetObject"):
        (rows,) = resources(template, FIRST, action)
        assert rows.endswith(f"/tables/events/task={TASK}/*")
    assert resources(template, FIRST, "dynamodb:PutItem") == resources(template, FIRST, "dynamodb:BatchGetItem")
    (table,) = resources(template, FIRST, "dynamodb:PutItem")
    assert "Task0Claims" in table
    assert {"Task0Notices"} == {name[:12] for name in resources(template, FIRST, "sns:Publish")}
    assert not resources(template, FIRST, "dynamodb:DeleteItem")
    assert not resources(template, FIRST, "s3:DeleteObject")


def test_read_incoming_may_read_what_was_dropped_and_write_what_it_set_aside(template: Template) -> None:
    function = "Task0ReadIncoming"
    (dropped,) = resources(template, function, "s3:GetObjectVersion")
    assert dropped.endswith(f"/uploads/{TASK}/incoming/*")
    (aside,) = resources(template, function, "s3:PutObject")
    assert aside.endswith(f"/incoming-quarantine/{TASK}/*")
    assert not resources(template, function, "sagemaker:InvokeEndpoint")


def test_record_review_may_find_an_event_and_write_what_a_person_says_of_it(template: Template) -> None:
    function = "Task0RecordReview"
    objects = {
        action: {on.partition("/")[2] for on in resources(template, function, action)}
        for action in ("s3:GetObject", "s3:PutObject")
    }
    reviewed = f"uploads/{TASK}/reviewed/*"
    assert objects == {
        "s3:GetObject": {f"tables/events/task={TASK}/*", reviewed},
        "s3:PutObject": {f"tables/reviews/task={TASK}/*", reviewed},
    }
    (table,) = resources(template, function, "dynamodb:BatchGetItem")
    assert "Task0Claims" in table
    for action in ("dynamodb:PutItem", "dynamodb:BatchWriteItem", "sagemaker:InvokeEndpoint", "s3:DeleteObject"):
        assert not resources(template, function, action)
    assert json.loads(variables(template, function)["FIELDS"]) == ["text", "label"]
    assert variables(template, function)["CLAIMS"] == variables(template, FIRST)["CLAIMS"]


def test_every_resource_is_allowed_only_for_comprehend_medical_and_only_where_it_is_asked_for(
    template: Template,
) -> None:
    for function in ("Task0ReadIncoming", FIRST, "Task0RecordReview", "Task1ReadIncoming", SECOND):
        wide = [s["Action"] for s in statements(template, function) if s["Resource"] == "*"]
        assert wide == (
            [["comprehendmedical:DetectEntitiesV2", "comprehendmedical:InferICD10CM"]] if function == SECOND else []
        )


def test_settings_reach_the_functions(template: Template) -> None:
    first, second = variables(template, FIRST), variables(template, SECOND)
    assert json.loads(first["LABELS"]) == ["Adverse_Event", "Not_AE"]
    assert (first["TEXTS_A_CALL"], second["TEXTS_A_CALL"]) == ("32", "8")
    assert (first["MENTIONS"], second["MENTIONS"]) == ("rules", "comprehend_medical")
    assert json.loads(second["NOTICES"]) == {}
    assert '"probability":0.8' in resolve(first["NOTICES"])
    template.resource_count_is("AWS::SNS::Topic", 1)


def test_outputs_name_queues_and_topics_by_task(template: Template) -> None:
    outputs = {name: json.loads(resolve(o["Value"])) for name, o in template.find_outputs("*").items()}
    both = {TASK, "task_1"}
    named = {name: set(outputs[name]) for name in ("TextQueues", "FileQueues", "NoticeTopics", "ReviewFunctions")}
    assert named == {"TextQueues": both, "FileQueues": both, "NoticeTopics": {TASK}, "ReviewFunctions": both}


@pytest.mark.parametrize(
    "content",
    [
        {"notice_probability": 0.0},
        {"notice_probability": 1.01},
        {"texts_a_call": 0},
        {"texts_a_call": 257},
        {"texts_a_call": 2.5},
        {"comprehend_medical": "yes"},
        {"unknown": 1},
    ],
)
def test_settings_that_are_not_allowed_are_refused_by_name(content: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(content))):
        validated(Stream, content, "adverse_events.yaml: stream")
    with pytest.raises(ValidationError):
        Stream(**content)
