"""What the tests of QuickSight start from: a table of scores, a group, a data source, and data sets over the table."""

from typing import Any

from local.aws import LocalAws
from tests.local.athena_tables import Tables
from tests.local.aws_helpers import unique, wait_for
from tests.local.quicksight.definitions import COLUMNS

ACCOUNT = "000000000000"
PREFIX = f"arn:aws:quicksight:us-east-1:{ACCOUNT}"
DASHBOARD_VIEWER = ["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"]
DATA_SET_VIEWER = [
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:PassDataSet",
    "quicksight:DescribeIngestion",
    "quicksight:ListIngestions",
]
RUN: dict[str, dict[str, Any]] = {
    "StringDatasetParameter": {
        "Id": "run-parameter",
        "Name": "run",
        "ValueType": "SINGLE_VALUED",
        "DefaultValues": {"StaticValues": ["r1"]},
    }
}


class Account:
    """An account with a table `scores` of two runs, a workgroup and a group."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.client = aws.client("quicksight")
        self.tables = Tables(aws)
        types = {"metric": "string", "score": "double", "records": "bigint", "started_at": "timestamp"}
        parameters = {
            "classification": "parquet",
            "projection.enabled": "true",
            "projection.run_id.type": "injected",
        }
        self.tables.create("scores", types, ["run_id"], parameters)
        for run, scores in (("r1", (0.25, 0.5, 0.75)), ("r2", (1.0,))):
            rows = [{"metric": f"m{n}", "score": score, "records": n} for n, score in enumerate(scores)]
            self.tables.write(f"scores/run_id={run}/a.parquet", rows)
        self.workgroup = unique("workgroup")
        location = {"OutputLocation": f"s3://{self.tables.bucket}/results/"}
        aws.client("athena").create_work_group(Name=self.workgroup, Configuration={"ResultConfiguration": location})
        group = self.client.create_group(AwsAccountId=ACCOUNT, Namespace="default", GroupName=unique("readers"))
        self.group = str(group["Group"]["Arn"])
        self.source = self.data_source()

    def sql(self, run: str = "<<$run>>") -> str:
        return (
            "SELECT run_id, metric, score, records, started_at"
            f' FROM "{self.tables.database}"."scores" WHERE run_id = {run}'
        )

    def data_source(self, **athena: Any) -> str:
        """A data source of its own; its ARN."""
        parameters = {"WorkGroup": self.workgroup, **athena}
        created = self.client.create_data_source(
            AwsAccountId=ACCOUNT,
            DataSourceId=unique("source"),
            Name="Athena",
            Type="ATHENA",
            DataSourceParameters={"AthenaParameters": parameters},
        )
        return str(created["Arn"])

    def data_set_request(self, **changes: Any) -> dict[str, Any]:
        """A request for a data set over the scores of one run, by direct query."""
        return {
            "AwsAccountId": ACCOUNT,
            "DataSetId": unique("data-set"),
            "Name": "Scores",
            "ImportMode": "DIRECT_QUERY",
            "PhysicalTableMap": {"scores": self.custom_sql(self.sql())},
            "DatasetParameters": [RUN],
            **changes,
        }

    def custom_sql(self, sql: str, columns: dict[str, str] | None = None) -> dict[str, Any]:
        declared = [{"Name": name, "Type": kind} for name, kind in (columns or COLUMNS).items()]
        return {"CustomSql": {"DataSourceArn": self.source, "Name": "sql", "SqlQuery": sql, "Columns": declared}}

    def data_set(self, **changes: Any) -> dict[str, Any]:
        """A data set of its own, as Create answers."""
        created: dict[str, Any] = self.client.create_data_set(**self.data_set_request(**changes))
        return created

    def ingestion(self, data_set: str, identity: str) -> dict[str, Any]:
        """An ingestion once it has ended."""

        def look() -> dict[str, Any] | None:
            answer = self.client.describe_ingestion(AwsAccountId=ACCOUNT, DataSetId=data_set, IngestionId=identity)
            found: dict[str, Any] = answer["Ingestion"]
            return found if found["IngestionStatus"] in ("COMPLETED", "FAILED") else None

        return wait_for(look, "the ingestion")
