"""Athena over Glue tables as the application declares them: projected partitions, results, refusals."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.athena_tables import PARQUET, PROJECTION, Tables
from tests.local.aws_helpers import unique


@pytest.fixture(scope="module")
def tables(aws: LocalAws) -> Iterator[Tables]:
    made = Tables(aws)
    made.create("predictions", {"record_id": "string", "rougeL": "double"}, ["task", "run_id"], PROJECTION)
    for task, run, score in (("radiology", "r1", 0.5), ("radiology", "r2", 0.25), ("notes", "r1", 0.75)):
        rows = [{"record_id": f"{task}-{run}", "rougeL": score, "undeclared": "x"}]
        made.write(f"predictions/task={task}/run_id={run}/part-00000.parquet", rows)
    made.write("predictions/task=unknown/run_id=r1/part-00000.parquet", [{"record_id": "u", "rougeL": 1.0}])
    yield made


def test_projected_partitions_are_read_with_the_columns_that_glue_declares(tables: Tables) -> None:
    rows = tables.ask("SELECT * FROM predictions WHERE run_id = 'r1' AND task = 'radiology'")
    assert rows == [["record_id", "rougel", "task", "run_id"], ["radiology-r1", "0.5", "radiology", "r1"]]


def test_a_value_that_the_projection_does_not_name_is_not_seen(tables: Tables) -> None:
    rows = tables.ask("SELECT task, rougeL FROM predictions p WHERE p.run_id IN ('r1') ORDER BY task")
    assert rows[1:] == [["notes", "0.75"], ["radiology", "0.5"]]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM predictions",
        "SELECT * FROM predictions WHERE run_id > 'a'",
        "SELECT * FROM predictions WHERE run_id = record_id",
        "SELECT * FROM predictions WHERE task = 'run_id'",
    ],
)
def test_an_injected_column_needs_a_value(tables: Tables, query: str) -> None:
    assert "For the injected projected partition column run_id" in tables.reason(query)


def test_the_result_lies_where_the_execution_says(aws: LocalAws, tables: Tables) -> None:
    execution = tables.run("SELECT 'a \"quoted\" text' AS text, NULL AS nothing, 3 AS three")

    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{tables.bucket}/results/{execution['QueryExecutionId']}.csv"
    key = location.removeprefix(f"s3://{tables.bucket}/")
    content = aws.client("s3").get_object(Bucket=tables.bucket, Key=key)["Body"].read().decode()
    assert content == '"text","nothing","three"\n"a ""quoted"" text",,"3"\n'


def test_the_location_of_a_workgroup_wins_where_it_is_enforced(aws: LocalAws, tables: Tables) -> None:
    free, strict = unique("workgroup"), unique("workgroup")
    for name, enforced in ((free, False), (strict, True)):
        configuration = {
            "EnforceWorkGroupConfiguration": enforced,
            "ResultConfiguration": {"OutputLocation": f"s3://{tables.bucket}/of-workgroup/"},
        }
        aws.client("athena").create_work_group(Name=name, Configuration=configuration)

    def location(workgroup: str) -> str:
        return str(tables.run("SELECT 1 AS a", WorkGroup=workgroup)["ResultConfiguration"]["OutputLocation"])

    assert location(free).startswith(f"s3://{tables.bucket}/results/")
    assert location(strict).startswith(f"s3://{tables.bucket}/of-workgroup/")
    with pytest.raises(ClientError, match="is not found"):
        location("nobody")


def test_a_result_that_cannot_be_written_fails_the_query(tables: Tables) -> None:
    execution = tables.run("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket-here/"})
    assert execution["Status"]["State"] == "FAILED"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = 'PARQUET')", "UNLOAD"),
        ("INSERT INTO predictions VALUES ('a')", "INSERT INTO"),
        ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
        ("create table t as select 1", "CREATE TABLE"),
        ("MSCK REPAIR TABLE predictions", "MSCK"),
        ("-- a comment\nDELETE FROM predictions", "DELETE"),
    ],
)
def test_statements_that_are_not_offered_are_refused_by_name(tables: Tables, statement: str, named: str) -> None:
    with pytest.raises(ClientError, match=f"does not offer {named}"):
        tables.run(statement)


def test_without_projection_only_registered_partitions_are_seen(aws: LocalAws, tables: Tables) -> None:
    tables.create("registered", {"a": "bigint"}, ["task"], {"classification": "parquet"})
    for task in ("one", "two"):
        tables.write(f"registered/task={task}/a.parquet", [{"a": 1}])
    assert tables.ask("SELECT count(*) AS n FROM registered")[1:] == [["0"]]

    location = f"s3://{tables.bucket}/tables/registered/task=one/"
    aws.client("glue").create_partition(
        DatabaseName=tables.database,
        TableName="registered",
        PartitionInput={"Values": ["one"], "StorageDescriptor": {**PARQUET, "Location": location}},
    )
    assert tables.ask("SELECT task FROM registered")[1:] == [["one"]]


def test_a_table_without_files_is_empty_and_a_column_that_no_file_has_is_null(tables: Tables) -> None:
    tables.create("empty", {"a": "bigint"}, [], {"classification": "parquet"})
    assert tables.ask("SELECT a FROM empty") == [["a"]]
    tables.create("grown", {"a": "bigint", "added": "string"}, [], {"classification": "parquet"})
    tables.write("grown/a.parquet", [{"a": 7}])
    assert tables.ask("SELECT a, added FROM grown")[1:] == [["7", None]]


def test_what_a_dashboard_asks_for(tables: Tables) -> None:
    query = """
        WITH chosen AS (SELECT task, rougeL FROM predictions WHERE run_id IN ('r1', 'r2'))
        SELECT task, count(*) AS n, max(rougeL) AS best, approx_percentile(rougeL, 0.5) AS median
        FROM chosen GROUP BY task ORDER BY task
    """
    assert [row[:3] for row in tables.ask(query)[1:]] == [["notes", "1", "0.75"], ["radiology", "2", "0.5"]]
    assert tables.ask("""SELECT json_extract_scalar('{"a": "b"}', '$.a') AS a""")[1:] == [["b"]]
    assert tables.ask("SELECT TIMESTAMP '2026-01-02 03:04:05' AS t")[1:] == [["2026-01-02 03:04:05.000"]]


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("SELECT avg(score) FROM measured WHERE run_id = 'r1'", ["r1"]),
        ("SELECT run_id, count(*) FROM measured WHERE run_id IN ('r1', 'r3') GROUP BY run_id", ["r1", "r3"]),
        ("WITH m AS (SELECT * FROM measured) SELECT max(text) FROM m WHERE run_id = 'r2' AND score > 0", ["r2"]),
        (
            "SELECT a.score FROM measured a JOIN measured b ON a.n = b.n WHERE a.run_id = 'r1' AND b.run_id = 'r2'",
            ["r1", "r2"],
        ),
        (
            "SELECT a.score FROM measured a JOIN measured b ON a.n = b.n AND a.run_id = b.run_id WHERE a.run_id = 'r3'",
            ["r3", "r3"],
        ),
        ("SELECT score FROM measured WHERE run_id = 'nothing'", []),
        ("SELECT 1 AS one", []),
    ],
)
def test_what_was_scanned_are_the_files_of_the_partitions_that_were_read(
    aws: LocalAws, measured: Tables, query: str, runs: list[str]
) -> None:
    keys = [f"tables/measured/task=notes/run_id={run}/{part}.parquet" for run in runs for part in ("a", "b")]
    sizes = [aws.client("s3").head_object(Bucket=measured.bucket, Key=key)["ContentLength"] for key in keys]

    execution = measured.run(query)

    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert execution["Statistics"]["DataScannedInBytes"] == sum(sizes)


@pytest.fixture(scope="module")
def measured(aws: LocalAws) -> Tables:
    """A table of three runs with two files each, all of different sizes."""
    made = Tables(aws)
    columns = {"n": "bigint", "score": "double", "text": "string"}
    made.create("measured", columns, ["task", "run_id"], PROJECTION)
    for run, count in (("r1", 100), ("r2", 2_000), ("r3", 30_000)):
        for part in ("a", "b"):
            rows = [{"n": n, "score": n / count, "text": f"{part} {n}"} for n in range(count + ord(part))]
            made.write(f"measured/task=notes/run_id={run}/{part}.parquet", rows)
    return made
