"""The function roll_out in a world in memory."""

import logging
from datetime import timedelta

from lambdas.roll_out.reconcile import Origin, Outcome, Session, reconcile
from lambdas.roll_out.removal import Waiting
from lambdas.roll_out.serving import Serving, Variant
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.fake_endpoints import GROUP, FakeEndpoints

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d"
LIVE = "dev-radiology-impressions"
PRETRAINED = "dev-radiology-impressions-pretrained"
SERVING = Serving(
    task="radiology_impressions",
    model_package_group=GROUP,
    live_endpoint=LIVE,
    pretrained_endpoint=PRETRAINED,
    role="arn:aws:iam::123456789012:role/serving",
    live=Variant("ml.m5.xlarge", 2),
    pretrained=None,
    alarms=("dev-live-5xx",),
    bake_seconds=300,
    similar_text=False,
)


class World:
    """SageMaker in memory, and wake-ups of the function an hour apart."""

    def __init__(self, logger: logging.Logger) -> None:
        self.aws = FakeEndpoints()
        self.client = connect("sagemaker", self.aws)
        self.logger = logger
        self.serving = SERVING
        self.seconds_left = 60.0

    def wake(self, origin: Origin = Origin.PACKAGE) -> dict[str, Outcome]:
        self.aws.now += timedelta(hours=1)
        session = Session(
            sagemaker=self.client,
            kms_key=KEY,
            waiting=Waiting(lambda: self.seconds_left, self._sleep),
            began=self.aws.now,
            origin=origin,
            logger=self.logger,
        )
        return reconcile(self.serving, session)

    def _sleep(self, seconds: float) -> None:
        self.seconds_left -= seconds

    def approve(self, arn: str) -> dict[str, Outcome]:
        self.aws.decide(arn, "Approved")
        return self.wake()

    def reject(self, arn: str) -> dict[str, Outcome]:
        self.aws.decide(arn, "Rejected")
        return self.wake()

    def finish(self, good: bool = True, name: str = LIVE) -> dict[str, Outcome]:
        """The change ends, and its event wakes the function, which SageMaker may send twice."""
        self.aws.finish(name, good)
        outcomes = self.wake(Origin.ENDPOINT)
        again = self.wake(Origin.ENDPOINT)
        assert again == outcomes or self.aws.endpoints[name]["status"] != "InService"
        return outcomes

    def serve_new_package(self) -> str:
        """A package is registered, approved, and in service."""
        arn = self.aws.register()
        self.approve(arn)
        self.finish()
        assert self.aws.serves(LIVE) == arn
        return arn
