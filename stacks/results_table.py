"""A Glue table over the Parquet files that runs write."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from training.table_schemas import UNKNOWN_TASK, Column, Table

_TYPES = {
    "string": glue.Schema.STRING,
    "bigint": glue.Schema.BIG_INT,
    "int": glue.Schema.INTEGER,
    "double": glue.Schema.DOUBLE,
    "boolean": glue.Schema.BOOLEAN,
    "timestamp": glue.Schema.TIMESTAMP,
}

# No run and no event is from before the project; new months and days appear by themselves.
_FIRST_MONTH, _FIRST_DAY = "2026-01", "2026-01-01"


class ResultsTable(Construct):
    """One table of `training.table_schemas`. Athena finds its partitions by rule (partition projection):

    `task` is one of the deployed tasks or UNKNOWN_TASK, `month` and `day` run up to now, and `run_id` must be named by
    the query, so that a query reads one run however many there are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: Table,
        database: glue.IDatabase,
        bucket: s3.IBucket,
        tasks: list[str],
    ) -> None:
        super().__init__(scope, construct_id)
        projections = {
            "task": glue.PartitionProjectionConfiguration.enum(values=[*tasks, UNKNOWN_TASK]),
            "run_id": glue.PartitionProjectionConfiguration.injected(),
            "month": _dates(_FIRST_MONTH, "yyyy-MM", glue.DateIntervalUnit.MONTHS),
            "day": _dates(_FIRST_DAY, "yyyy-MM-dd", glue.DateIntervalUnit.DAYS),
        }
        deployed = glue.S3Table(
            self,
            "Table",
            database=database,
            table_name=table.name,
            description=table.comment,
            storage=glue.S3TableStorage.from_bucket(bucket),
            s3_prefix=f"tables/{table.name}/",
            data_format=glue.DataFormat.PARQUET,
            # Says whether the data were encrypted by the client; ours are encrypted by S3.
            has_encrypted_data=False,
            columns=[_column(column) for column in table.columns],
            partition_keys=[glue.Column(name=name, type=glue.Schema.STRING) for name in table.partitioned_by],
            partition_projection={name: projections[name] for name in table.partitioned_by},
        )
        deployed.apply_removal_policy(RemovalPolicy.DESTROY)


def _dates(first: str, form: str, unit: glue.DateIntervalUnit) -> glue.PartitionProjectionConfiguration:
    step = glue.DateProjectionStep(interval=1, interval_unit=unit)
    return glue.PartitionProjectionConfiguration.date(min=first, max="NOW", format=form, step=step)


def _column(column: Column) -> glue.Column:
    return glue.Column(name=column.name, type=_TYPES[column.type], comment=column.comment)
