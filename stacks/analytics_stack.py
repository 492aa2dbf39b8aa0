"""Analytics: the tables that runs leave behind, and the workgroup that asks them questions."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from stacks.foundation import Foundation
from stacks.results_table import ResultsTable
from training.table_schemas import TABLES


class AnalyticsStack(Stack):
    """Glue tables over Parquet with partition projection (no crawler), and an Athena workgroup with a scan limit."""

    def __init__(self, scope: Construct, construct_id: str, *, foundation: Foundation) -> None:
        stage, tasks, bucket, key = foundation.stage, foundation.tasks, foundation.bucket, foundation.key
        super().__init__(scope, construct_id, env={"region": stage.region}, description="Report tuning: tables")
        self.database_name = f"report_tuning_{stage.name}"
        database = glue.Database(self, "Database", database_name=self.database_name)
        # A catalogue of what lies in the bucket: whether the data stay is said there.
        database.apply_removal_policy(RemovalPolicy.DESTROY)
        for table in TABLES:
            ResultsTable(
                self, table.name, table=table, database=database, bucket=bucket, tasks=[task.name for task in tasks]
            )
        self.workgroup_name = f"report-tuning-{stage.name}"
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.workgroup_name,
            description="Questions to the tables of report tuning",
            # A workgroup that holds saved queries or history would otherwise stay behind.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=int(stage.athena_scan_limit_gb * 10**9),
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=bucket.s3_url_for_object("athena-results/"),
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
        CfnOutput(self, "DatabaseName", value=self.database_name, description="Athena database")
        CfnOutput(self, "WorkgroupName", value=self.workgroup_name, description="Athena workgroup")
