"""Storage: one key, one bucket for everything, and its access log."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.config import Stage


class StorageStack(Stack):
    """The key and the bucket that all other stacks use.

    `stage.keep_data` decides whether both outlive `cdk destroy`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id, env={"region": stage.region}, description="Report tuning: data and key")
        removal = RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY
        self.key = kms.Key(
            self,
            "Key",
            description=f"Report tuning {stage.name}: reports, models, tables, logs",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        self._let_services_use_the_key()
        self.alarms = sns.Topic(
            self, "Alarms", master_key=self.key, enforce_ssl=True, display_name=f"Report tuning {stage.name}: alarms"
        )
        access_log = s3.Bucket(
            self,
            "AccessLog",
            # S3 delivers access logs only to buckets with its own encryption.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(30))
            ],
            removal_policy=removal,
            auto_delete_objects=not stage.keep_data,
        )
        self.bucket = s3.Bucket(
            self,
            "Data",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=access_log,
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(90),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                ),
                s3.LifecycleRule(prefix="athena-results/", expiration=Duration.days(30)),
            ],
            removal_policy=removal,
            auto_delete_objects=not stage.keep_data,
        )
        CfnOutput(self, "AlarmTopic", value=self.alarms.topic_arn, description="Subscribe to hear of failures")
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name, description="Upload reports here")
        # Said to the bucket itself: the CDK's own switch would add a Lambda function that sets it.
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _let_services_use_the_key(self) -> None:
        # EventBridge puts events into encrypted queues, alarms are sent to an encrypted topic, and CloudWatch Logs
        # encrypts the functions' logs.
        self.key.grant_encrypt_decrypt(iam.ServicePrincipal("events.amazonaws.com"))
        self.key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        logs = f"arn:{self.partition}:logs:{self.region}:{self.account}:*"
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            )
        )
