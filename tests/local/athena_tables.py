"""Glue tables of Parquet files and queries over them, for tests of Athena and of what asks it."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from local.aws import LocalAws
from tests.local.aws_helpers import bucket, unique, wait_for

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
PROJECTION = {
    "classification": "parquet",
    "projection.enabled": "true",
    "projection.task.type": "enum",
    "projection.task.values": "radiology,notes",
    "projection.run_id.type": "injected",
}


class Tables:
    """A database whose tables lie in one bucket."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self.client = aws.client("athena")
        self.bucket = bucket(aws)
        self.database = unique("database").replace("-", "_")
        aws.client("glue").create_database(DatabaseInput={"Name": self.database})

    def create(self, name: str, columns: dict[str, str], partitions: list[str], parameters: dict[str, str]) -> None:
        storage = {
            **PARQUET,
            "Location": f"s3://{self.bucket}/tables/{name}/",
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
        }
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": partition, "Type": "string"} for partition in partitions],
        }
        self._aws.client("glue").create_table(DatabaseName=self.database, TableInput=table)

    def write(self, key: str, rows: list[dict[str, Any]]) -> None:
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), content)
        self._aws.client("s3").put_object(Bucket=self.bucket, Key=f"tables/{key}", Body=content.getvalue())

    def run(self, query: str, **more: Any) -> dict[str, Any]:
        """A query's execution once it has ended."""
        request = {
            "QueryString": query,
            "QueryExecutionContext": {"Database": self.database},
            "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/results"},
            **more,
        }
        identity = self.client.start_query_execution(**request)["QueryExecutionId"]

        def look() -> dict[str, Any] | None:
            execution: dict[str, Any] = self.client.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            return execution if execution["Status"]["State"] in ("SUCCEEDED", "FAILED") else None

        return wait_for(look, "the query")

    def ask(self, query: str) -> list[list[str | None]]:
        """Header and rows of a query that succeeds."""
        execution = self.run(query)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return self.rows(execution)

    def rows(self, execution: dict[str, Any]) -> list[list[str | None]]:
        """Header and rows of a query that succeeded."""
        results = self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        return [[datum.get("VarCharValue") for datum in row["Data"]] for row in results["ResultSet"]["Rows"]]

    def reason(self, query: str) -> str:
        """Why a query fails."""
        status = self.run(query)["Status"]
        assert status["State"] == "FAILED"
        return str(status["StateChangeReason"])
