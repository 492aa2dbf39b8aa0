"""roll_out's edges: requests of CloudFormation, which always get an answer; events; the environment."""

import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lambdas.errors import EventError, SettingsError
from lambdas.roll_out import handler as handler_module
from lambdas.roll_out.deployment import has_local_disk
from lambdas.roll_out.handler import Clients, Settings
from lambdas.roll_out.serving import Serving, Variant
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.fake_endpoints import GROUP, FakeEndpoints

STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/ReportTuning-dev-Serving/1"
LIVE = "dev-radiology-impressions"
PRETRAINED = f"{LIVE}-pretrained"
TASK = {
    "model_package_group": GROUP,
    "live_endpoint": LIVE,
    "pretrained_endpoint": PRETRAINED,
    "role": "arn:aws:iam::123456789012:role/serving",
    "live": {"instance_type": "ml.m5.xlarge", "instance_count": 1},
    "pretrained": {"instance_type": "ml.m5.xlarge", "instance_count": 1},
    "alarms": ["dev-live-5xx"],
    "bake_seconds": 300,
    "similar_text": True,
}
ENVIRONMENT = {
    "KMS_KEY": "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d",
    "TASKS": json.dumps({"radiology_impressions": TASK}),
}
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:roll-out",
    "Task": "radiology_impressions",
    "ModelPackageGroup": GROUP,
    "LiveEndpoint": LIVE,
    "PretrainedEndpoint": PRETRAINED,
}


class Context:
    """Lambda's context; `milliseconds` are left."""

    def __init__(self, milliseconds: int = 900_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class FakeStacks:
    status = "DELETE_IN_PROGRESS"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        assert StackName == STACK
        return {"Stacks": [{"StackName": "s", "StackStatus": self.status}]}


class World:
    """The handler with SageMaker and CloudFormation in memory; `answers` is what CloudFormation was told."""

    def __init__(self, url: str, answers: list[dict[str, Any]]) -> None:
        self.aws = FakeEndpoints()
        self.stacks = FakeStacks()
        self.clients = Clients(connect("sagemaker", self.aws), connect("cloudformation", self.stacks))
        self.settings = Settings.from_environment(ENVIRONMENT)
        self.url = url
        self.answers = answers

    def request(self, kind: str, context: Context | None = None, **more: Any) -> dict[str, Any]:
        """What CloudFormation is told about a request."""
        event = {
            "RequestType": kind,
            "ResponseURL": self.url,
            "StackId": STACK,
            "RequestId": "r1",
            "LogicalResourceId": "LiveEndpoint",
            "ResourceProperties": PROPERTIES,
            **({} if kind == "Create" else {"PhysicalResourceId": "roll-out/radiology_impressions"}),
            **({"OldResourceProperties": PROPERTIES} if kind == "Update" else {}),
            **more,
        }
        handler_module.handler(event, context or Context())
        answer = self.answers.pop()
        assert self.answers == []
        assert [answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")] == [
            STACK,
            "r1",
            "LiveEndpoint",
        ]
        return answer

    def package_event(self, group: str = GROUP) -> None:
        detail = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved"}
        self.event("SageMaker Model Package State Change", detail)

    def event(self, kind: str, detail: dict[str, Any]) -> None:
        handler_module.handler({"detail-type": kind, "detail": detail}, Context())

    def serve(self) -> str:
        package = self.aws.register("Approved", pretrained_model="s3://b/staged")
        self.package_event()
        for name in (LIVE, PRETRAINED):
            self.aws.finish(name)
        return package


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    answers: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.headers["Content-Type"] == ""
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world = World(f"http://127.0.0.1:{server.server_port}/answer?signed", answers)
    monkeypatch.setattr(handler_module, "_settings", lambda: world.settings)
    monkeypatch.setattr(handler_module, "_clients", lambda: world.clients)
    monkeypatch.setattr(handler_module.time, "sleep", lambda _seconds: None)
    yield world
    server.shutdown()
    thread.join()
    server.server_close()


def test_create_succeeds_before_anything_is_approved(world: World) -> None:
    answer = world.request("Create")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "roll-out/radiology_impressions")
    assert world.aws.endpoints == {}


def test_create_starts_endpoints_for_what_was_approved_before(world: World) -> None:
    world.aws.register("Approved", pretrained_model="s3://b/staged")
    assert world.request("Create")["Status"] == "SUCCESS"
    assert set(world.aws.endpoints) == {LIVE, PRETRAINED}


def test_update_rolls_new_machines_out(world: World) -> None:
    world.serve()
    serving = dataclasses.replace(world.settings.tasks["radiology_impressions"], live=Variant("ml.c5.xlarge", 3))
    world.settings = dataclasses.replace(world.settings, tasks={serving.task: serving})
    assert world.request("Update")["Status"] == "SUCCESS"
    world.aws.finish(LIVE)
    assert world.aws.machines(LIVE) == ("ml.c5.xlarge", 3)


def test_update_removes_endpoints_whose_names_changed(world: World) -> None:
    world.serve()
    old = {**PROPERTIES, "LiveEndpoint": "dev-old-name"}
    world.aws.create_endpoint("dev-old-name", world.aws.endpoints[LIVE]["config"], Tags=[])
    world.aws.finish("dev-old-name")
    answer = world.request("Update", OldResourceProperties=old)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "roll-out/radiology_impressions")
    assert set(world.aws.endpoints) == {LIVE, PRETRAINED}


def test_delete_leaves_nothing_behind(world: World) -> None:
    world.serve()
    for _ in range(5):
        world.aws.register()
    world.aws.deletions = 3
    assert world.request("Delete")["Status"] == "SUCCESS"
    assert (world.aws.endpoints, world.aws.configs, world.aws.models) == ({}, {}, {})
    assert world.aws.packages == {}
    assert world.request("Delete")["Status"] == "SUCCESS"


def test_delete_works_for_a_task_that_is_no_longer_in_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.serve()

    def broken() -> Settings:
        raise SettingsError("TASKS is broken")

    monkeypatch.setattr(handler_module, "_settings", broken)
    assert world.request("Delete")["Status"] == "SUCCESS"
    assert world.aws.endpoints == {}


@pytest.mark.parametrize("status", ["ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_a_deployment_that_is_undone_does_not_cost_the_models_trained_before(world: World, status: str) -> None:
    package = world.serve()
    world.stacks.status = status
    assert world.request("Delete")["Status"] == "SUCCESS"
    assert world.aws.endpoints == {}
    assert set(world.aws.packages) == {package}


def test_delete_fails_with_a_reason_when_the_time_is_up(world: World) -> None:
    world.serve()
    world.aws.endpoints[LIVE] |= {"status": "Updating", "pending": "x"}
    answer = world.request("Delete", context=Context(milliseconds=50_000))
    assert answer["Status"] == "FAILED"
    assert f"endpoint {LIVE} is still Updating" in answer["Reason"]
    assert world.aws.packages != {}


def test_delete_of_what_never_had_a_name_succeeds(world: World) -> None:
    world.serve()
    broken = {**PROPERTIES, "Task": ""}
    created = world.request("Create", ResourceProperties=broken)
    assert (created["Status"], created["PhysicalResourceId"]) == ("FAILED", "LiveEndpoint")
    deleted = world.request("Delete", ResourceProperties=broken, PhysicalResourceId="LiveEndpoint")
    assert deleted["Status"] == "SUCCESS"
    assert set(world.aws.endpoints) == {LIVE, PRETRAINED}


def test_properties_that_do_not_fit_the_environment_fail_with_a_reason(world: World) -> None:
    answer = world.request("Create", ResourceProperties={**PROPERTIES, "LiveEndpoint": "another"})
    assert answer["Status"] == "FAILED"
    assert "do not agree" in answer["Reason"]


def test_an_unexpected_error_is_answered_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError("x" * 5000)

    monkeypatch.setattr(world.aws, "list_model_packages", broken)
    answer = world.request("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("ZeroDivisionError")
    assert len(json.dumps(answer)) < 4096


def test_an_answer_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from lambdas import cloudformation

    attempts = []
    urlopen = cloudformation.urllib.request.urlopen

    def flaky(request: Any, timeout: float) -> Any:
        attempts.append(timeout)
        if len(attempts) < 3:
            raise TimeoutError
        return urlopen(request, timeout=timeout)

    monkeypatch.setattr(cloudformation.urllib.request, "urlopen", flaky)
    assert world.request("Create")["Status"] == "SUCCESS"
    assert len(attempts) == 3


def test_events_wake_the_task_they_are_about(world: World) -> None:
    world.aws.register("Approved", pretrained_model="s3://b/staged")
    world.package_event("somebody-elses")
    assert world.aws.endpoints == {}
    world.package_event()
    world.aws.finish(LIVE)
    newer = world.aws.register("Approved", pretrained_model="s3://b/staged")
    # SageMaker writes an endpoint's state in capitals in its events; only the name is used.
    world.event("SageMaker Endpoint State Change", {"EndpointName": LIVE, "EndpointStatus": "IN_SERVICE"})
    world.aws.finish(LIVE)
    assert world.aws.serves(LIVE) == newer


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("SageMaker Model Package State Change", {}),
        ("SageMaker Endpoint State Change", {}),
        ("Object Created", {"EndpointName": LIVE}),
    ],
)
def test_other_events_are_refused(world: World, kind: str, detail: dict[str, Any]) -> None:
    with pytest.raises(EventError):
        world.event(kind, detail)


def test_the_environment_is_read_into_how_tasks_are_served() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert settings.tasks["radiology_impressions"] == Serving(
        task="radiology_impressions",
        model_package_group=GROUP,
        live_endpoint=LIVE,
        pretrained_endpoint=PRETRAINED,
        role="arn:aws:iam::123456789012:role/serving",
        live=Variant("ml.m5.xlarge", 1),
        pretrained=Variant("ml.m5.xlarge", 1),
        alarms=("dev-live-5xx",),
        bake_seconds=300,
        similar_text=True,
    )
    # CloudFormation drops what is null.
    for switched_off in ({**TASK, "pretrained": None}, {k: v for k, v in TASK.items() if k != "pretrained"}):
        off = json.dumps({"t": switched_off})
        assert Settings.from_environment({**ENVIRONMENT, "TASKS": off}).tasks["t"].pretrained is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"role": ""}, r"TASKS\.t\.role"),
        ({"surprise": 1}, r"TASKS\.t must be an object with alarms, bake_seconds"),
        ({"live": {"instance_type": "ml.m5.xlarge"}}, r"TASKS\.t\.live must be"),
        ({"live": {"instance_type": "ml.m5.xlarge", "instance_count": 0}}, r"live\.instance_count must be .* got 0"),
        ({"pretrained": {"instance_type": 3, "instance_count": 1}}, r"pretrained\.instance_type"),
        ({"bake_seconds": 3601}, r"bake_seconds must be .* got 3601"),
        ({"similar_text": "true"}, r"TASKS\.t\.similar_text must be true or false"),
        ({"alarms": [1]}, "alarms"),
        ({"alarms": ["a"] * 11}, "10 alarms, got 11"),
        ({"live_endpoint": "x" * 48}, "live_endpoint may have 47 characters"),
    ],
)
def test_a_wrong_environment_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_environment({**ENVIRONMENT, "TASKS": json.dumps({"t": {**TASK, **change}})})


@pytest.mark.parametrize(
    ("instance_type", "local_disk"),
    [
        ("ml.m5.xlarge", False),
        ("ml.m5d.xlarge", True),
        ("ml.g4dn.xlarge", True),
        ("ml.g5.2xlarge", True),
        ("ml.g6e.12xlarge", True),
        ("ml.p4d.24xlarge", True),
        ("ml.inf2.xlarge", False),
    ],
)
def test_machines_with_disks_of_their_own_are_known(instance_type: str, local_disk: bool) -> None:
    assert has_local_disk(instance_type) is local_disk
