"""start_training under every order of events: no upload is lost, and never do two runs of a task execute at once.

A small world in memory plays S3, EventBridge (late, repeated, reordered events), the FIFO queue (delayed; a failed
message comes again and holds its group up) and SageMaker, with clocks that disagree. Random sequences are played; in
the end the newest run must be the one for what lies there.
"""

import json
import logging
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from lambdas.start_training.batch import handle_batch
from lambdas.start_training.reconcile import POSTPONE_LIMIT, Clients, Task
from lambdas.start_training.uploads import current_uploads, deciding_version
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.events import BUCKET, execution_ended, object_created, record
from tests.lambdas.fake_pipelines import GROUP, FakePipelines
from tests.lambdas.fake_s3 import FakeS3

SETTLE = 20
VISIBILITY = 7
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TASK = Task("radiology_impressions", BUCKET, "dev-radiology-impressions", GROUP, SETTLE)
TRAIN = "uploads/radiology_impressions/train/"
REVIEWED = "uploads/radiology_impressions/reviewed/"

_quiet = logging.getLogger("interleavings")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class World:
    """Moves in ticks of a second. `skew`: how many seconds the Lambda's clock is ahead of S3's."""

    def __init__(self, skew: float = 0.0) -> None:
        self.second = 0
        self.skew = skew
        self.s3 = FakeS3(page=3)
        self.sagemaker = FakePipelines(BEGIN)
        self.clients = Clients(connect("s3", self.s3), connect("sagemaker", self.sagemaker))
        self.on_the_way: list[tuple[int, dict[str, Any]]] = []  # (second of arrival at the queue, event)
        self.queue: list[dict[str, Any]] = []  # in order of arrival

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.second)

    @property
    def runs(self) -> list[dict[str, Any]]:
        return self.sagemaker.executions

    def put(self, key: str, latency: int = 0, began: int = 0, repeats: int = 1) -> None:
        """An upload ends now that began `began` seconds ago; its event is sent `repeats` times."""
        self.s3.upload(key, self.now - timedelta(seconds=began))
        for number in range(repeats):
            self.send(object_created(key, self.now), latency + 3 * number)

    def send(self, event: dict[str, Any], latency: int) -> None:
        self.on_the_way.append((self.second + latency, event))

    def end_run(self, status: str = "Succeeded", latency: int = 0, repeats: int = 1) -> None:
        for run in self.runs:
            if run["status"] == "Executing":
                self.sagemaker.end(run, status)
                for _ in range(repeats):
                    self.send(execution_ended(run["arn"], status), latency)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second += 1
            self.sagemaker.now = self.now
            arriving = [event for when, event in self.on_the_way if when <= self.second]
            self.on_the_way = [item for item in self.on_the_way if item[0] > self.second]
            for event in arriving:
                self.queue.append({"id": f"m{random.getrandbits(60)}", "event": event, "visible": self.second + SETTLE})
            self._poll()

    def _poll(self) -> None:
        batch = []
        for message in self.queue[:10]:
            if message["visible"] > self.second:
                break
            batch.append(message)
        if not batch:
            return
        failed = handle_batch(
            [record(message["id"], message["event"]) for message in batch],
            bucket=BUCKET,
            tasks={TASK.name: TASK},
            clients=self.clients,
            now=self.now + timedelta(seconds=self.skew),
            logger=_quiet,
        )
        for message in batch:
            if message["id"] in failed:
                message["visible"] = self.second + VISIBILITY
            else:
                self.queue.remove(message)

    def come_to_rest(self) -> None:
        for _ in range(200):
            self.pass_seconds(SETTLE)
            if not self.queue and not self.on_the_way:
                if all(run["status"] != "Executing" for run in self.runs):
                    return
                self.end_run()
        raise AssertionError("the world does not come to rest")

    def uploaded_version(self) -> str | None:
        return deciding_version(current_uploads(self.clients.s3, BUCKET, TASK.name))


def manifest_of(world: World, run: dict[str, Any]) -> list[Any]:
    content: list[Any] = json.loads(world.s3.bodies[run["parameters"]["Manifest"].removeprefix(f"s3://{BUCKET}/")])
    return content


def _check(world: World) -> None:
    versions = [run["parameters"]["DataVersion"].partition("-")[0] for run in world.runs]
    assert world.sagemaker.most_executing <= 1
    assert (versions[-1] if versions else None) == world.uploaded_version()
    assert all(before != after for before, after in pairwise(versions))


@pytest.mark.parametrize("seed", range(60))
def test_random_sequences_lose_nothing_and_never_run_twice_at_once(seed: int) -> None:
    choose = random.Random(seed)
    world = World(skew=choose.uniform(-0.45, 0.45) * SETTLE)
    uploads = 0
    # Short sequences find more: in long ones a later event makes up for a message that was lost on.
    for _ in range(choose.randrange(2, 16)):
        action = choose.choice(
            ["train", "train", "train", "eval", "review", "review", "end", "stale", "fail", "lose", "wait"]
        )
        if action == "train":
            began = choose.choice([0, 0, 0, 5, 90])
            world.put(f"{TRAIN}{choose.randrange(4)}.jsonl", choose.randrange(9), began, choose.choice([1, 1, 2]))
            uploads += 1
        elif action == "eval":
            world.put("uploads/radiology_impressions/eval/dev2/a.jsonl", choose.randrange(9))
        elif action == "review":
            world.put(f"{REVIEWED}{choose.randrange(4)}.jsonl", choose.randrange(9))
        elif action == "end":
            status = choose.choice(["Succeeded", "Failed", "Stopped"])
            world.end_run(status, choose.randrange(30), choose.choice([1, 2]))
        elif action == "stale" and world.runs:
            world.send(execution_ended(world.runs[0]["arn"]), choose.randrange(60))
        elif action == "fail":
            world.sagemaker.failing_starts = choose.randrange(3)
        elif action == "lose":
            world.sagemaker.lost_answers = 1
        world.pass_seconds(choose.choice([0, 1, 2, 5, 11, 30, 70]))
    world.come_to_rest()
    _check(world)
    assert len(world.runs) <= uploads


@pytest.mark.parametrize("skew", [-0.45 * SETTLE, 0.45 * SETTLE])
def test_an_upload_is_not_taken_for_settling_because_clocks_disagree(skew: float) -> None:
    world = World(skew)
    world.put(f"{TRAIN}a.jsonl")
    world.come_to_rest()
    assert len(world.runs) == 1


@pytest.mark.parametrize("skew", [-0.45 * SETTLE, 0.45 * SETTLE])
def test_the_end_of_a_run_right_after_an_uploads_message_starts_its_run(skew: float) -> None:
    world = World(skew)
    world.put(f"{TRAIN}a.jsonl")
    world.pass_seconds(2 * SETTLE)
    world.put(f"{TRAIN}b.jsonl")
    world.pass_seconds(1)
    world.end_run()
    world.come_to_rest()
    assert len(world.runs) == 2
    _check(world)


def test_files_dropped_together_are_one_run_with_all_of_them() -> None:
    world = World()
    for number in range(12):
        world.put(f"{TRAIN}{number}.jsonl", latency=number % 3)
        world.pass_seconds(4)
    world.put("uploads/radiology_impressions/eval/dev2/a.jsonl")
    world.come_to_rest()
    (run,) = world.runs
    assert manifest_of(world, run) == [
        {"prefix": f"s3://{BUCKET}/uploads/radiology_impressions/"},
        "eval/dev2/a.jsonl",
        *sorted(f"train/{number}.jsonl" for number in range(12)),
    ]


def test_uploads_during_a_run_start_exactly_one_more_when_it_ends() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.pass_seconds(3 * SETTLE)
    assert len(world.runs) == 1
    for name in ("b", "c"):
        world.put(f"{TRAIN}{name}.jsonl")
        world.pass_seconds(2 * SETTLE)
    assert len(world.runs) == 1
    world.end_run("Failed")
    world.come_to_rest()
    assert len(world.runs) == 2
    _check(world)


def test_a_drop_that_goes_on_while_a_run_ends_is_one_run() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.pass_seconds(3 * SETTLE)
    # Something has waited for long, so that only what came after the run's end may count as postponed.
    world.put(f"{TRAIN}b.jsonl")
    world.pass_seconds((POSTPONE_LIMIT + 1) * SETTLE)
    world.end_run()
    for number in range(8):
        world.put(f"{TRAIN}c{number}.jsonl")
        world.pass_seconds(4)
    world.come_to_rest()
    assert len(world.runs) == 2
    _check(world)


def test_a_repeated_event_starts_nothing() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl", repeats=3)
    world.come_to_rest()
    world.send(object_created(f"{TRAIN}a.jsonl", world.now), 0)
    world.come_to_rest()
    assert len(world.runs) == 1


def test_a_failed_run_is_repeated_only_when_something_is_uploaded() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.pass_seconds(2 * SETTLE)
    world.end_run("Failed", repeats=2)
    world.come_to_rest()
    assert len(world.runs) == 1
    world.put(f"{TRAIN}a.jsonl")  # the same key and bytes again, as a new version
    world.come_to_rest()
    assert len(world.runs) == 2


def test_a_steady_stream_of_uploads_does_not_postpone_for_ever() -> None:
    world = World()
    for number in range((POSTPONE_LIMIT + 4) * SETTLE // 4):
        world.put(f"{TRAIN}{number}.jsonl")
        world.pass_seconds(4)
    assert len(world.runs) == 1
    world.come_to_rest()
    assert len(world.runs) == 2
    _check(world)


def test_removing_a_file_brings_back_an_earlier_version_as_a_new_run() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.come_to_rest()
    world.put(f"{TRAIN}b.jsonl")
    world.come_to_rest()
    world.s3.remove(f"{TRAIN}b.jsonl")
    world.put("uploads/radiology_impressions/eval/dev2/a.jsonl")
    world.come_to_rest()
    assert len(world.runs) == 3
    assert world.runs[0]["parameters"]["DataVersion"] == world.runs[2]["parameters"]["DataVersion"]
    _check(world)


@pytest.mark.parametrize("keys", [["uploads/radiology_impressions/eval/dev2/a.jsonl"], [f"{TRAIN}sub/"]])
def test_evaluation_files_and_folders_alone_start_nothing(keys: list[str]) -> None:
    world = World()
    for key in keys:
        world.put(key)
    world.come_to_rest()
    assert world.runs == []


def test_reviews_alone_start_nothing() -> None:
    world = World()
    world.put(f"{REVIEWED}a.jsonl")
    world.come_to_rest()
    assert world.runs == []


def test_reviews_start_no_run_at_a_runs_end_and_are_in_the_next_one_that_an_upload_starts() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.pass_seconds(2 * SETTLE)
    world.put(f"{REVIEWED}a.jsonl")
    world.pass_seconds(2 * SETTLE)
    world.end_run()
    world.come_to_rest()
    world.put(f"{REVIEWED}b.jsonl")
    world.come_to_rest()
    assert len(world.runs) == 1
    assert "reviewed" not in json.dumps(manifest_of(world, world.runs[0]))

    world.put(f"{TRAIN}b.jsonl")
    world.come_to_rest()
    assert len(world.runs) == 2
    assert manifest_of(world, world.runs[1])[1:] == [
        "reviewed/a.jsonl",
        "reviewed/b.jsonl",
        "train/a.jsonl",
        "train/b.jsonl",
    ]
    # Its end finds that it was started for what lies there, although its version names reviews too.
    world.put(f"{REVIEWED}c.jsonl")
    world.send(execution_ended(world.runs[1]["arn"]), 0)
    world.come_to_rest()
    assert len(world.runs) == 2


def test_who_reviews_without_a_pause_keeps_no_upload_waiting() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    for number in range(SETTLE + 4):
        world.put(f"{REVIEWED}{number}.jsonl")
        world.pass_seconds(1)
    assert len(world.runs) == 1


def test_a_review_between_two_attempts_to_start_makes_one_run() -> None:
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.put(f"{REVIEWED}a.jsonl")
    world.sagemaker.lost_answers = 1
    world.pass_seconds(SETTLE)
    world.put(f"{REVIEWED}b.jsonl")
    world.come_to_rest()
    assert len(world.runs) == 1


def test_the_same_training_files_with_other_reviews_are_read_and_trained_anew() -> None:
    """What is kept of an earlier run goes by its manifest's name and its data version."""
    world = World()
    world.put(f"{TRAIN}a.jsonl")
    world.come_to_rest()
    world.put(f"{TRAIN}b.jsonl")
    world.come_to_rest()
    world.put(f"{REVIEWED}a.jsonl")
    world.s3.remove(f"{TRAIN}b.jsonl")
    world.put("uploads/radiology_impressions/eval/dev2/a.jsonl")
    world.come_to_rest()
    first, _, third = (run["parameters"] for run in world.runs)
    assert first["DataVersion"] == third["DataVersion"].partition("-")[0] != third["DataVersion"]
    assert first["Manifest"] != third["Manifest"]


@pytest.mark.parametrize("place", ["eval/dev2", "reviewed"])
def test_a_manifest_of_other_objects_has_another_name(place: str) -> None:
    world = World()
    for name in ("a", "b"):
        world.put(f"{TRAIN}a.jsonl")
        world.put(f"uploads/radiology_impressions/{place}/{name}.jsonl")
        world.come_to_rest()
    first, second = world.runs
    assert first["parameters"]["Manifest"] != second["parameters"]["Manifest"]
    assert manifest_of(world, first)[1:] == [f"{place}/a.jsonl", "train/a.jsonl"]
    assert manifest_of(world, second)[1:] == [f"{place}/a.jsonl", f"{place}/b.jsonl", "train/a.jsonl"]
