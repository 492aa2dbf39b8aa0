"""Queues, encrypted with the stage's key and reachable over TLS only."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """Keeps for 14 days what could not be handled, so that somebody can look and put it back."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, fifo: bool = False) -> None:
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


class OrderedQueue(sqs.Queue):
    """First in, first out; a message that fails `attempts` times goes to the dead letters."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        delay: Duration,
        visibility_timeout: Duration,
        dead_letters: DeadLetterQueue,
        attempts: int,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            fifo=True,
            content_based_deduplication=True,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            delivery_delay=delay,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=attempts),
        )
