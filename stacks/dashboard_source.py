"""What QuickSight asks: Athena, with a role of its own that may read the tables and nothing else."""

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

_TYPE = "AWS::QuickSight::DataSource"


class DashboardSource(Construct):
    """An Athena data source. Without a role of its own QuickSight would use the account's one for everything."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        database: str,
        workgroup: str,
        bucket: s3.IBucket,
        key: kms.IKey,
        readers: str,
    ) -> None:
        """`name` is the data source's id, `readers` the ARN of the group that may use it."""
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("quicksight.amazonaws.com"),
            description="QuickSight reads the tables of report tuning through Athena",
        )
        self._grant(database, workgroup, bucket, key)
        self.resource = CfnResource(
            self,
            "Source",
            type=_TYPE,
            properties={
                "AwsAccountId": stack.account,
                "DataSourceId": name,
                "Name": "Report tuning (Athena)",
                "Type": "ATHENA",
                "DataSourceParameters": {"AthenaParameters": {"WorkGroup": workgroup, "RoleArn": self.role.role_arn}},
                "SslProperties": {"DisableSsl": False},
                "Permissions": [
                    {
                        "Principal": readers,
                        "Actions": [
                            "quicksight:DescribeDataSource",
                            "quicksight:DescribeDataSourcePermissions",
                            "quicksight:PassDataSource",
                        ],
                    }
                ],
            },
        )
        # The connection is tried when the data source is made.
        self.resource.node.add_dependency(self.role)
        self.arn = f"arn:{stack.partition}:quicksight:{stack.region}:{stack.account}:datasource/{name}"

    def _grant(self, database: str, workgroup: str, bucket: s3.IBucket, key: kms.IKey) -> None:
        stack = Stack.of(self)
        glue = f"arn:{stack.partition}:glue:{stack.region}:{stack.account}"
        athena = f"arn:{stack.partition}:athena:{stack.region}:{stack.account}"
        self._allow(
            [
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
                "athena:GetQueryExecution",
                "athena:BatchGetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetQueryResultsStream",
                "athena:GetWorkGroup",
            ],
            [f"{athena}:workgroup/{workgroup}"],
        )
        self._allow(
            ["athena:GetDataCatalog", "athena:ListDatabases", "athena:ListTableMetadata", "athena:GetTableMetadata"],
            [f"{athena}:datacatalog/AwsDataCatalog"],
        )
        # Athena looks partitions up even where they are projected.
        self._allow(
            [
                "glue:GetDatabase",
                "glue:GetDatabases",
                "glue:GetTable",
                "glue:GetTables",
                "glue:GetPartition",
                "glue:GetPartitions",
                "glue:BatchGetPartition",
            ],
            [f"{glue}:catalog", f"{glue}:database/{database}", f"{glue}:table/{database}/*"],
        )
        self._allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket.bucket_arn])
        self._allow(["s3:GetObject"], [bucket.arn_for_objects("tables/*")])
        self._allow(
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [bucket.arn_for_objects("athena-results/*")],
        )
        self._allow(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])

    def _allow(self, actions: list[str], resources: list[str]) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
