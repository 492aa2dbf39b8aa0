"""roll_out: the live endpoint follows the newest approved package, in any order of events."""

import dataclasses
import io
import logging

from lambdas.roll_out.reconcile import Origin, Outcome
from lambdas.roll_out.serving import Variant
from tests.lambdas.fake_registry import ENVIRONMENT, IMAGE
from tests.lambdas.roll_out_world import KEY, LIVE, PRETRAINED, SERVING, World
from training.inference import MODEL_VERSION, SIMILAR_TEXT

WITH_PRETRAINED = dataclasses.replace(SERVING, pretrained=Variant("ml.g5.2xlarge", 1))
STAGED = "s3://reports-bucket/runs/radiology_impressions/r1/staged"


def test_nothing_happens_before_an_approval(world: World) -> None:
    world.aws.register()
    assert world.wake() == {LIVE: Outcome.ABSENT}
    assert (world.aws.models, world.aws.configs) == ({}, {})


def test_the_first_approval_creates_the_endpoint_as_the_task_says(world: World) -> None:
    package = world.aws.register()
    assert world.approve(package) == {LIVE: Outcome.CREATED}
    ((model_name, model),) = world.aws.models.items()
    ((config_name, config),) = world.aws.configs.items()
    environment = {"SIMILAR_TEXT": "false", "MODEL_VERSION": "1"}
    assert model["PrimaryContainer"] == {"ModelPackageName": package, "Environment": environment}
    assert model["EnableNetworkIsolation"] is True
    assert model["ExecutionRoleArn"] == SERVING.role
    assert config["KmsKeyId"] == KEY
    (variant,) = config["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"]) == ("main", model_name)
    assert world.aws.machines(LIVE) == ("ml.m5.xlarge", 2)
    assert "DataCaptureConfig" not in config
    assert {"Key": "report-tuning:task", "Value": "radiology_impressions"} in config["Tags"]
    assert model_name.startswith(f"{LIVE}-v1-")
    assert config_name.startswith(f"{LIVE}-v1-")
    assert world.finish() == {LIVE: Outcome.UNCHANGED}


def test_no_key_is_given_for_machines_whose_disks_take_none(world: World) -> None:
    world.serving = dataclasses.replace(SERVING, live=Variant("ml.g5.2xlarge", 1))
    world.approve(world.aws.register())
    (config,) = world.aws.configs.values()
    assert "KmsKeyId" not in config


def test_text_of_training_reports_is_permitted_by_a_deployment_and_forbidden_by_another(world: World) -> None:
    package = world.serve_new_package()
    for permitted in (True, False):
        world.serving = dataclasses.replace(SERVING, similar_text=permitted)
        assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.UPDATED}
        world.finish()
        assert world.aws.serves(LIVE) == package
        (model,) = world.aws.models.values()
        assert model["PrimaryContainer"]["Environment"][SIMILAR_TEXT] == str(permitted).lower()


def test_a_model_is_told_the_version_of_its_package(world: World) -> None:
    world.serve_new_package()
    newer = world.serve_new_package()
    (model,) = world.aws.models.values()
    assert newer.endswith("/2") and model["PrimaryContainer"]["Environment"][MODEL_VERSION] == "2"


def test_an_approval_moves_the_endpoint_with_alarms_that_roll_back(world: World) -> None:
    world.serve_new_package()
    newer = world.aws.register()
    assert world.approve(newer) == {LIVE: Outcome.UPDATED}
    assert world.aws.updates == [
        {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "dev-live-5xx"}]},
        }
    ]
    world.finish()
    assert world.aws.serves(LIVE) == newer


def test_the_old_model_and_configuration_go_only_when_the_update_has_ended(world: World) -> None:
    world.serve_new_package()
    before = set(world.aws.configs)
    world.approve(world.aws.register())
    world.wake()  # a repeated event in the midst of the update
    assert before < set(world.aws.configs)
    world.finish()
    assert len(world.aws.configs) == len(world.aws.models) == 1
    assert not before & set(world.aws.configs)


def test_repeated_and_late_events_change_nothing(world: World) -> None:
    world.serve_new_package()
    for origin in [*Origin, *Origin]:
        assert world.wake(origin) == {LIVE: Outcome.UNCHANGED}
    assert world.aws.updates == []


def test_approving_an_older_package_later_does_not_move_the_endpoint_back(world: World) -> None:
    older = world.aws.register()
    newer = world.serve_new_package()
    assert world.approve(older) == {LIVE: Outcome.UNCHANGED}
    assert world.aws.serves(LIVE) == newer


def test_an_approval_during_an_update_is_rolled_out_after_it(world: World) -> None:
    world.serve_new_package()
    world.approve(world.aws.register())
    newest = world.aws.register()
    assert world.approve(newest) == {LIVE: Outcome.CHANGING}
    assert world.finish() == {LIVE: Outcome.UPDATED}
    world.finish()
    assert world.aws.serves(LIVE) == newest


def test_rejecting_what_is_in_service_goes_back_to_the_one_before(world: World) -> None:
    older = world.serve_new_package()
    newer = world.serve_new_package()
    assert world.reject(newer) == {LIVE: Outcome.UPDATED}
    assert world.finish() == {LIVE: Outcome.UNCHANGED}
    assert world.aws.serves(LIVE) == older


def test_what_was_in_service_once_can_be_gone_back_to_without_a_clean_up_in_between(world: World) -> None:
    older = world.serve_new_package()
    newer = world.aws.register()
    world.approve(newer)
    world.aws.finish(LIVE)  # its event comes only after the rejection
    assert world.reject(newer) == {LIVE: Outcome.UPDATED}
    world.aws.finish(LIVE)
    assert world.aws.serves(LIVE) == older
    assert world.approve(newer) == {LIVE: Outcome.UPDATED}
    world.finish()
    assert world.aws.serves(LIVE) == newer


def test_rejecting_the_last_package_leaves_the_endpoint_with_a_warning(
    world: World, log: tuple[logging.Logger, io.StringIO]
) -> None:
    package = world.serve_new_package()
    assert world.reject(package) == {LIVE: Outcome.NOTHING_APPROVED}
    assert world.aws.serves(LIVE) == package
    assert '"level": "WARNING"' in log[1].getvalue()


class TestPretrainedEndpoint:
    """The endpoint of the model before fine-tuning."""

    def test_serves_the_staged_folder_in_the_packages_container(self, world: World) -> None:
        world.serving = WITH_PRETRAINED
        outcomes = world.approve(world.aws.register(pretrained_model=STAGED))
        assert outcomes == {LIVE: Outcome.CREATED, PRETRAINED: Outcome.CREATED}
        model = next(model for name, model in world.aws.models.items() if name.startswith(PRETRAINED))
        assert model["PrimaryContainer"] == {
            "Image": IMAGE,
            "Environment": ENVIRONMENT,
            "ModelDataSource": {
                "S3DataSource": {"S3Uri": f"{STAGED}/", "S3DataType": "S3Prefix", "CompressionType": "None"}
            },
        }
        assert world.aws.machines(PRETRAINED) == ("ml.g5.2xlarge", 1)

    def test_is_updated_only_when_that_folder_changes(self, world: World) -> None:
        world.serving = WITH_PRETRAINED
        world.approve(world.aws.register(pretrained_model=STAGED))
        world.finish(name=LIVE)
        world.finish(name=PRETRAINED)
        outcomes = world.approve(world.aws.register(pretrained_model=STAGED))
        assert outcomes == {LIVE: Outcome.UPDATED, PRETRAINED: Outcome.UNCHANGED}
        world.finish(name=LIVE)
        outcomes = world.approve(world.aws.register(pretrained_model="s3://b/other/"))
        assert outcomes == {LIVE: Outcome.UPDATED, PRETRAINED: Outcome.UPDATED}
        assert "AutoRollbackConfiguration" not in world.aws.updates[-1]
        world.finish(name=PRETRAINED)
        assert world.aws.serves(PRETRAINED) == "s3://b/other/"

    def test_is_left_out_for_a_package_that_names_no_folder(self, world: World) -> None:
        world.serving = WITH_PRETRAINED
        assert world.approve(world.aws.register()) == {LIVE: Outcome.CREATED, PRETRAINED: Outcome.ABSENT}

    def test_is_removed_when_it_is_switched_off(self, world: World) -> None:
        world.serving = WITH_PRETRAINED
        world.approve(world.aws.register(pretrained_model=STAGED))
        world.finish(name=LIVE)
        world.finish(name=PRETRAINED)
        world.serving = SERVING
        assert world.wake(Origin.DEPLOY) == {LIVE: Outcome.UNCHANGED, PRETRAINED: Outcome.REMOVED}
        assert set(world.aws.endpoints) == {LIVE}
        assert len(world.aws.models) == len(world.aws.configs) == 1
