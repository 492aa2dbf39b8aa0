"""Queues, encrypted with the stage's key and reachable over TLS only."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """Keeps for 14 days what could not be handled, and raises an alarm, so that somebody looks and puts it back."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, alarms: sns.ITopic, fifo: bool = False
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            # CloudFormation refuses `false`.
            fifo=True if fifo else None,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        alarm = self.metric_approximate_number_of_messages_visible(period=Duration.minutes(5)).create_alarm(
            self,
            "Alarm",
            alarm_description="Something could not be handled and waits in a dead-letter queue",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(cloudwatch_actions.SnsAction(alarms))


class WorkQueue(sqs.Queue):
    """What waits to be done; a message that fails `attempts` times goes to the dead letters.

    `visibility_timeout` is for a function that dies with it: six times the function's time limit, as Lambda asks for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        visibility_timeout: Duration,
        dead_letters: DeadLetterQueue,
        attempts: int,
        delay: Duration | None = None,
        fifo: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            fifo=True if fifo else None,
            content_based_deduplication=True if fifo else None,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            delivery_delay=delay,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=attempts),
        )
