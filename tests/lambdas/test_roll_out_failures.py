"""roll_out when something goes wrong: roll-backs, failed starts, other invocations, other people's resources."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.errors import EndpointError, EndpointTimeoutError
from lambdas.roll_out.reconcile import Origin, Outcome
from lambdas.roll_out.serving import Variant
from tests.lambdas.aws_in_memory import Refused
from tests.lambdas.fake_endpoints import FakeEndpoints
from tests.lambdas.fake_registry import IMAGE
from tests.lambdas.roll_out_world import LIVE, SERVING, World


def test_a_rolled_back_update_is_not_tried_again(world: World) -> None:
    good = world.serve_new_package()
    bad = world.aws.register()
    world.approve(bad)
    assert world.finish(good=False) == {LIVE: Outcome.ROLLED_BACK}
    for origin in Origin:
        assert world.wake(origin) == {LIVE: Outcome.ROLLED_BACK}
    assert len(world.aws.updates) == 1
    assert world.aws.serves(LIVE) == good


def test_a_newer_package_is_rolled_out_after_a_roll_back(world: World) -> None:
    world.serve_new_package()
    world.approve(world.aws.register())
    world.finish(good=False)
    newest = world.serve_new_package()
    assert world.aws.serves(LIVE) == newest
    assert len(world.aws.configs) == 1


def test_a_rolled_back_package_is_tried_again_once_it_is_rejected_and_approved(world: World) -> None:
    world.serve_new_package()
    bad = world.aws.register()
    world.approve(bad)
    world.finish(good=False)
    assert world.reject(bad) == {LIVE: Outcome.UNCHANGED}
    assert world.approve(bad) == {LIVE: Outcome.UPDATED}
    world.finish()
    assert world.aws.serves(LIVE) == bad


def test_an_endpoint_that_failed_to_start_is_not_created_over_and_over(world: World) -> None:
    package = world.aws.register()
    world.approve(package)
    assert world.finish(good=False) == {LIVE: Outcome.FAILED_TO_START}
    assert world.wake() == {LIVE: Outcome.FAILED_TO_START}
    assert world.aws.creations == [LIVE]


def test_an_endpoint_that_failed_to_start_is_made_anew_for_another_package(world: World) -> None:
    world.approve(world.aws.register())
    world.finish(good=False)
    assert world.approve(world.aws.register()) == {LIVE: Outcome.CREATED}
    world.finish()
    assert len(world.aws.models) == 1


def test_an_endpoint_that_failed_to_start_goes_with_its_rejection_and_comes_with_an_approval(world: World) -> None:
    package = world.aws.register()
    world.approve(package)
    world.finish(good=False)
    assert world.reject(package) == {LIVE: Outcome.REMOVED}
    assert (world.aws.endpoints, world.aws.configs, world.aws.models) == ({}, {}, {})
    assert world.approve(package) == {LIVE: Outcome.CREATED}


def test_a_redeploy_changes_the_machines_and_keeps_the_model(world: World) -> None:
    package = world.serve_new_package()
    world.serving = dataclasses.replace(SERVING, live=Variant("ml.c5.2xlarge", 1))
    assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.UPDATED}
    world.finish()
    assert world.aws.serves(LIVE) == package
    assert world.aws.machines(LIVE) == ("ml.c5.2xlarge", 1)


def test_a_redeploy_never_goes_back_to_an_older_model(world: World) -> None:
    world.serve_new_package()
    newer = world.serve_new_package()
    world.aws.decide(newer, "Rejected")  # and the event of it got lost
    world.serving = dataclasses.replace(SERVING, live=Variant("ml.c5.2xlarge", 1))
    assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.UPDATED}
    world.aws.finish(LIVE)
    assert world.aws.serves(LIVE) == newer


def test_the_last_event_of_a_removed_endpoint_does_not_bring_it_back(world: World) -> None:
    world.serve_new_package()
    world.aws.endpoints.clear()
    assert world.wake(Origin.ENDPOINT) == {LIVE: Outcome.ABSENT}
    assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.CREATED}


def test_an_endpoint_that_is_going_away_is_waited_for_and_made_anew(world: World) -> None:
    world.serve_new_package()
    world.aws.deletions = 3
    world.aws.delete_endpoint(LIVE)
    assert world.wake(Origin.ENDPOINT) == {LIVE: Outcome.CHANGING}
    assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.CREATED}


def test_waiting_ends_with_the_functions_time(world: World) -> None:
    world.serve_new_package()
    world.aws.deletions = 1000
    world.aws.delete_endpoint(LIVE)
    with pytest.raises(EndpointTimeoutError, match="still Deleting"):
        world.wake(Origin.DEPLOY)


@pytest.mark.parametrize("status", ["UpdateRollbackFailed", "OutOfService"])
def test_a_state_for_a_person_is_reported_and_left_alone(world: World, status: str) -> None:
    world.serve_new_package()
    world.aws.endpoints[LIVE]["status"] = status
    with pytest.raises(EndpointError, match=status):
        world.approve(world.aws.register())
    assert world.aws.updates == []


def test_two_invocations_at_once_make_one_endpoint(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    package = world.aws.register()
    world.approve(package)
    describe = world.aws.describe_endpoint

    def not_yet(EndpointName: str) -> dict[str, Any]:
        monkeypatch.setattr(world.aws, "describe_endpoint", describe)
        world.aws._find("endpoint", {}, EndpointName)
        raise AssertionError

    monkeypatch.setattr(world.aws, "describe_endpoint", not_yet)
    assert world.wake() == {LIVE: Outcome.CHANGING}
    assert world.aws.creations == [LIVE]


def test_an_update_that_another_invocation_began_first_is_not_marked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.serve_new_package()
    newest = world.aws.register("Approved")
    update = world.aws.update_endpoint

    def too_late(**request: Any) -> dict[str, Any]:
        monkeypatch.setattr(world.aws, "update_endpoint", update)
        raise Refused("ValidationException", f'Cannot update in-progress endpoint "{LIVE}".')

    monkeypatch.setattr(world.aws, "update_endpoint", too_late)
    assert world.wake() == {LIVE: Outcome.CHANGING}
    assert world.wake(Origin.ENDPOINT) == {LIVE: Outcome.UPDATED}
    world.finish()
    assert world.aws.serves(LIVE) == newest


@pytest.mark.parametrize(
    "operation", ["describe_endpoint", "update_endpoint", "create_endpoint_config", "create_model"]
)
def test_what_aws_refuses_for_another_reason_is_passed_on(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    world.serve_new_package()
    world.aws.register("Approved")

    def denied(**_: Any) -> None:
        raise Refused("AccessDeniedException", "You are not authorized.")

    monkeypatch.setattr(world.aws, operation, denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        world.wake()


def test_an_endpoint_that_may_not_be_deleted_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.approve(world.aws.register())
    world.finish(good=False)

    def denied(**_: Any) -> None:
        raise Refused("AccessDeniedException", "You are not authorized.")

    monkeypatch.setattr(world.aws, "delete_endpoint", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        world.approve(world.aws.register())


def test_what_another_invocation_has_just_made_is_not_removed(world: World) -> None:
    world.serve_new_package()
    other = FakeEndpoints.create_endpoint_config
    world.aws.create_model(f"{LIVE}-v9-0123abcd", PrimaryContainer={"Image": IMAGE})
    other(world.aws, f"{LIVE}-v9-0123abcd", ProductionVariants=[{"ModelName": f"{LIVE}-v9-0123abcd"}])
    world.aws.create_model(f"{LIVE}-v10-0123abcd", PrimaryContainer={"Image": IMAGE})  # no configuration yet
    world.aws.now -= timedelta(hours=1)  # the invocation began just before that
    world.wake()
    assert f"{LIVE}-v10-0123abcd" in world.aws.models
    assert f"{LIVE}-v9-0123abcd" in world.aws.configs
    assert f"{LIVE}-v9-0123abcd" in world.aws.models
    world.wake()
    assert f"{LIVE}-v9-0123abcd" not in world.aws.configs
    assert f"{LIVE}-v9-0123abcd" not in world.aws.models


def test_what_others_made_is_not_removed(world: World) -> None:
    names = [f"{LIVE}-pretrained-0123abcd", f"{LIVE}-v1-mine", f"my-{LIVE}-v1-0123abcd", LIVE]
    for name in names:
        world.aws.create_model(name, PrimaryContainer={"Image": IMAGE})
        world.aws.create_endpoint_config(name, ProductionVariants=[{"ModelName": name}])
    world.serve_new_package()
    world.serve_new_package()
    assert set(names) < set(world.aws.models)
    assert set(names) < set(world.aws.configs)
