"""The role of one kind of SageMaker job, with no more rights than that job needs."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

# AWS's own accounts publish the Hugging Face images; which account it is differs from region to region.
IMAGE_REPOSITORIES = "huggingface-pytorch-*"


@dataclass(frozen=True)
class Access:
    """Key prefixes of the data bucket that a job reads and writes, such as `uploads/radiology_impressions/*`.

    `elsewhere` are S3 URIs in other buckets that it reads: of an archive, or of a folder.
    `images` are the repositories that its container's image may come from.
    `invokes` are actions on what it calls, each with an ARN's parts behind the partition, {region} and {account} in it.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    images: tuple[str, ...] = (IMAGE_REPOSITORIES,)
    invokes: tuple[tuple[str, str], ...] = ()


class JobRole(iam.Role):
    """Assumed by SageMaker for a job or an endpoint: images, its own logs and metrics, and the prefixes of `access`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        bucket: s3.IBucket,
        key: kms.IKey,
        access: Access,
    ) -> None:
        super().__init__(
            scope, construct_id, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"), description=description
        )
        self._grant_data(bucket, key, access)
        for uri in access.elsewhere:
            self._grant_elsewhere(uri)
        stack = Stack.of(self)
        for action, resource in access.invokes:
            named = resource.format(region=stack.region, account=stack.account)
            self._allow([action], [f"arn:{stack.partition}:{named}"])
        self._grant_images(access.images)
        self._grant_logs_and_metrics()

    def _grant_data(self, bucket: s3.IBucket, key: kms.IKey, access: Access) -> None:
        reads = [bucket.arn_for_objects(prefix) for prefix in (*access.reads, *access.writes)]
        self._allow(["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn])
        self._allow(["s3:GetObject"], reads)
        if access.writes:
            writes = [bucket.arn_for_objects(prefix) for prefix in access.writes]
            self._allow(["s3:PutObject", "s3:AbortMultipartUpload"], writes)
        self._allow(["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], [key.key_arn])
        # SageMaker attaches encrypted volumes in the role's name.
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant"],
                resources=[key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )

    def _grant_elsewhere(self, uri: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        # A folder is listed by its prefix, with or without the slash that its URI ends with.
        keys = [key] if key.endswith(".gz") else [key.rstrip("/"), f"{key.rstrip('/')}/*"]
        root = f"arn:{Stack.of(self).partition}:s3:::{bucket}"
        self._allow(["s3:GetObject"], [f"{root}/{keys[-1]}"])
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"], resources=[root], conditions={"StringLike": {"s3:prefix": keys}}
            )
        )

    def _grant_images(self, repositories: tuple[str, ...]) -> None:
        stack = Stack.of(self)
        self._allow(["ecr:GetAuthorizationToken"], ["*"])
        self._allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [f"arn:{stack.partition}:ecr:{stack.region}:*:repository/{name}" for name in repositories],
        )

    def _grant_logs_and_metrics(self) -> None:
        stack = Stack.of(self)
        groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:/aws/sagemaker/*"
        self._allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], [groups]
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
            )
        )

    def _allow(self, actions: list[str], resources: list[str]) -> None:
        self.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
