"""A task's stream of texts: files and messages in, events and notices out.

uploads/<task>/incoming/ → EventBridge → queue of files → read_incoming ┐
                                                       (or any sender) ┴→ queue of texts → classify_texts
classify_texts → live endpoint, claims (DynamoDB) → tables/events/, topic of notices
a person → record_review → uploads/<task>/reviewed/, tables/reviews/
"""

import json
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.config.stream import Stream
from stacks.encrypted_queue import DeadLetterQueue, WorkQueue
from stacks.glue_function import GlueFunction
from training.table_schemas import EVENTS, REVIEWS, Table

# A message that failed is tried again after so many seconds, later each time, and parked after the last: an endpoint
# may be away for 20 minutes.
RETRY_SECONDS = (15, 60, 300, 900)
_ATTEMPTS = len(RETRY_SECONDS) + 1
# The longest that classify_texts may run, and the lease of its claims.
_CLASSIFY_SECONDS, _LEASE_SECONDS = 90, 120
# Texts of one batch, and so rows of one file. Comprehend Medical is asked text by text, which takes its time.
_BATCH, _COMPREHEND_BATCH = 100, 10
# Batches (and files) at a time: full batches rather than many, and no more than an endpoint of one machine answers.
_AT_A_TIME = 5


@dataclass(frozen=True)
class StreamedTask:
    """A task as its stream needs to know it. `endpoint` is the live endpoint's name; the positive label comes first.

    `fields` are what uploaded files call a text and its label.
    """

    name: str
    construct_id: str
    title: str
    endpoint: str
    labels: tuple[str, str]
    fields: tuple[str, str]
    stream: Stream


@dataclass(frozen=True)
class Surroundings:
    """What all streams of a stage share: bucket, key, topic of alarms, pyarrow's layer, and whether data are kept."""

    bucket: s3.IBucket
    key: kms.IKey
    alarms: sns.ITopic
    layer: lambda_.ILayerVersion
    keep_data: bool


class EventStream(Construct):
    """Queues, functions, claims and topic of one task. `topic` is None where the settings ask for no notices.

    `reviews` is the function that takes verdicts on events; whoever may invoke it may give them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, task: StreamedTask, around: Surroundings) -> None:
        super().__init__(scope, construct_id)
        self._task, self._around = task, around
        self._dead_texts = self._dead_letters("DeadTexts")
        self._dead_files = self._dead_letters("DeadFiles")
        self.texts = self._queue("Texts", Duration.seconds(6 * _CLASSIFY_SECONDS), self._dead_texts)
        # read_incoming may take a quarter of an hour.
        self.files = self._queue("Files", Duration.minutes(6 * 15), self._dead_files)
        self.topic = self._topic() if task.stream.notice_probability is not None else None
        self._claims = self._table_of_claims()
        self._read_incoming()
        self._classify_texts()
        self.reviews = self._record_review()

    def _dead_letters(self, construct_id: str) -> DeadLetterQueue:
        return DeadLetterQueue(self, construct_id, key=self._around.key, alarms=self._around.alarms)

    def _queue(self, construct_id: str, visibility_timeout: Duration, dead_letters: DeadLetterQueue) -> WorkQueue:
        return WorkQueue(
            self,
            construct_id,
            key=self._around.key,
            visibility_timeout=visibility_timeout,
            dead_letters=dead_letters,
            attempts=_ATTEMPTS,
        )

    def _topic(self) -> sns.Topic:
        return sns.Topic(
            self, "Notices", master_key=self._around.key, enforce_ssl=True, display_name=f"{self._task.title}: notices"
        )

    def _table_of_claims(self) -> dynamodb.Table:
        keep = self._around.keep_data
        return dynamodb.Table(
            self,
            "Claims",
            partition_key=dynamodb.Attribute(name="text_identity", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._around.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=keep,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )

    def _read_incoming(self) -> None:
        task, bucket = self._task, self._around.bucket
        prefix = f"uploads/{task.name}/incoming/"
        function = GlueFunction(
            self,
            "ReadIncoming",
            name="read_incoming",
            description=f"{task.title}: sends the texts of incoming files to the queue",
            environment={
                "BUCKET": bucket.bucket_name,
                "TASK": task.name,
                "TEXT_QUEUE": self.texts.queue_url,
                "INCOMING_QUEUE": self.files.queue_url,
                "RETRY_SECONDS": json.dumps(RETRY_SECONDS),
            },
            key=self._around.key,
            timeout=Duration.minutes(15),
        )
        function.add_event_source(
            event_sources.SqsEventSource(
                self.files, batch_size=1, max_concurrency=_AT_A_TIME, report_batch_item_failures=True
            )
        )
        events.Rule(
            self,
            "Dropped",
            description="A file of texts was dropped",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"prefix": prefix}]}},
            ),
            targets=[targets.SqsQueue(self.files, dead_letter_queue=self._dead_files)],
        )
        function.allow(["s3:GetObject", "s3:GetObjectVersion"], [bucket.arn_for_objects(f"{prefix}*")])
        # Without it, S3 says of a file that is gone that it is forbidden.
        function.allow(["s3:ListBucket"], [bucket.bucket_arn])
        function.allow(["s3:PutObject"], [bucket.arn_for_objects(f"incoming-quarantine/{task.name}/*")])
        function.allow(["sqs:SendMessage"], [self.texts.queue_arn, self.files.queue_arn])
        self._allow_key(function)

    def _classify_texts(self) -> None:
        task, around = self._task, self._around
        stack = Stack.of(self)
        notices = {}
        if self.topic is not None:
            notices = {"topic": self.topic.topic_arn, "probability": task.stream.notice_probability}
        function = GlueFunction(
            self,
            "ClassifyTexts",
            name="classify_texts",
            description=f"{task.title}: asks the live endpoint about texts and writes events",
            environment={
                "BUCKET": around.bucket.bucket_name,
                "TASK": task.name,
                "ENDPOINT": task.endpoint,
                "LABELS": json.dumps(task.labels),
                "TEXTS_A_CALL": str(task.stream.texts_a_call),
                "CLAIMS": self._claims.table_name,
                "LEASE_SECONDS": str(_LEASE_SECONDS),
                "TEXT_QUEUE": self.texts.queue_url,
                "DEAD_LETTERS": self._dead_texts.queue_url,
                "RETRY_SECONDS": json.dumps(RETRY_SECONDS),
                "NOTICES": stack.to_json_string(notices),
                "MENTIONS": "comprehend_medical" if task.stream.comprehend_medical else "rules",
            },
            key=around.key,
            timeout=Duration.seconds(_CLASSIFY_SECONDS),
            layers=[around.layer],
        )
        function.add_event_source(
            event_sources.SqsEventSource(
                self.texts,
                batch_size=_COMPREHEND_BATCH if task.stream.comprehend_medical else _BATCH,
                max_batching_window=Duration.seconds(1),
                max_concurrency=_AT_A_TIME,
                report_batch_item_failures=True,
            )
        )
        self._grant_classify(function)

    def _grant_classify(self, function: GlueFunction) -> None:
        task, stack = self._task, Stack.of(self)
        endpoint = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:endpoint/{task.endpoint}"
        function.allow(["sagemaker:InvokeEndpoint"], [endpoint])
        # It reads a file back only if a function died between writing it and saying so.
        function.allow(["s3:PutObject", "s3:GetObject"], [self._rows(EVENTS)])
        function.allow(
            ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], [self._claims.table_arn]
        )
        function.allow(["sqs:SendMessage"], [self._dead_texts.queue_arn])
        if self.topic is not None:
            function.allow(["sns:Publish"], [self.topic.topic_arn])
        if task.stream.comprehend_medical:
            # Neither operation knows resources.
            function.allow(["comprehendmedical:DetectEntitiesV2", "comprehendmedical:InferICD10CM"], ["*"])
        self._allow_key(function)

    def _record_review(self) -> GlueFunction:
        task, bucket = self._task, self._around.bucket
        function = GlueFunction(
            self,
            "RecordReview",
            name="record_review",
            description=f"{task.title}: writes down what a person says about an event",
            environment={
                "BUCKET": bucket.bucket_name,
                "TASK": task.name,
                "CLAIMS": self._claims.table_name,
                "LABELS": json.dumps(task.labels),
                "FIELDS": json.dumps(task.fields),
            },
            key=self._around.key,
            timeout=Duration.seconds(30),
            layers=[self._around.layer],
        )
        function.allow(["dynamodb:BatchGetItem"], [self._claims.table_arn])
        function.allow(["s3:GetObject"], [self._rows(EVENTS)])
        # It looks at what it has written, in case somebody else has since.
        reviewed = bucket.arn_for_objects(f"uploads/{task.name}/reviewed/*")
        function.allow(["s3:PutObject", "s3:GetObject"], [reviewed])
        function.allow(["s3:PutObject"], [self._rows(REVIEWS)])
        self._allow_key(function)
        return function

    def _rows(self, table: Table) -> str:
        """ARN of the task's rows of a table."""
        return self._around.bucket.arn_for_objects(f"tables/{table.name}/task={self._task.name}/*")

    def _allow_key(self, function: GlueFunction) -> None:
        function.allow(
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], [self._around.key.key_arn]
        )
