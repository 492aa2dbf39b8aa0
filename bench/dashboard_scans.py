"""How many bytes each of the dashboards' queries reads, from 10 runs to 1,000.

    python3 -m bench.dashboard_scans [--runs 10 100 1000] [--records 50]

Deploys the stacks to a local AWS, writes invented rows of so many runs of each kind of task, and texts that came in on
as many days, into the bucket, and asks Athena every question that QuickSight asks at a look (data sets with
parameters), each about one run or the last days. Prints bytes scanned, and the same for the queries over all runs,
which QuickSight asks once after a run and not at a look.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from local.athena import run_query
from local.deployment import ACCOUNT
from local.stage import LocalStage, deployed_stage
from training.table_schemas import (
    CLASSIFIERS,
    EVALUATED,
    EVENTS,
    MODELS,
    PREDICTIONS,
    RECORDED,
    SCORES,
    SIMILAR_REPORTS,
    STREAMED,
    SYNTHETIC_EXAMPLES,
    Table,
)
from training.tables import day_of, month_of, partition_folder, write_table

# Task -> what its models are called.
TASKS = {"radiology_impressions": MODELS, "adverse_events": CLASSIFIERS}
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
# What a reader has chosen; everything else is as the data sets are deployed.
CHOSEN = {"run": "run00000", "compare": "run00001"}
# Tables with texts: of these a run has several rows.
TEXTS = (PREDICTIONS, SIMILAR_REPORTS, EVENTS, SYNTHETIC_EXAMPLES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--records", type=int, default=50, help="evaluated reports of a run")
    arguments = parser.parse_args()
    measured: dict[str, dict[int, tuple[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, deployed_stage(Console(), Path(folder)) as stage:
        queries = dict(data_set_queries(stage))
        there = 0
        for count in sorted(arguments.runs):
            for number in range(there, count):
                write_run(stage, Path(folder), number, arguments.records)
            there = count
            for name, query in queries.items():
                began = time.perf_counter()
                scanned = bytes_scanned(stage, query)
                measured.setdefault(name, {})[count] = scanned, time.perf_counter() - began
    report(measured, sorted(arguments.runs))


def data_set_queries(stage: LocalStage) -> Iterator[tuple[str, str]]:
    """(data set, its query about one run or the last days), as deployed; those without parameters: all runs."""
    quicksight = stage.aws.client("quicksight")
    for summary in quicksight.list_data_sets(AwsAccountId=ACCOUNT)["DataSetSummaries"]:
        data_set = quicksight.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=summary["DataSetId"])["DataSet"]
        (table,) = data_set["PhysicalTableMap"].values()
        query = table["CustomSql"]["SqlQuery"]
        for parameter in (one["StringDatasetParameter"] for one in data_set.get("DatasetParameters", [])):
            (default,) = parameter["DefaultValues"]["StaticValues"]
            query = query.replace(f"<<${parameter['Name']}>>", f"'{CHOSEN.get(parameter['Name'], default)}'")
        kind = "at a look" if data_set["ImportMode"] == "DIRECT_QUERY" else "all runs, kept (SPICE)"
        yield f"{kind}: {table['CustomSql']['Name']}", query


def bytes_scanned(stage: LocalStage, query: str) -> int:
    execution = run_query(
        stage.aws.client("athena"), query, database=stage.names.database, workgroup=stage.names.workgroup
    )
    return int(execution["Statistics"]["DataScannedInBytes"])


def write_run(stage: LocalStage, folder: Path, number: int, records: int) -> None:
    """Invented rows of one run of each task in every table, and of texts that came in so many days ago."""
    run_id = f"run{number:05d}"
    started = BEGIN + timedelta(hours=number)
    seconds = {"run_id": run_id, "month": month_of(started), "day": day_of(datetime.now(UTC) - timedelta(days=number))}
    for task in TASKS:
        for table in (*EVALUATED, *RECORDED, *STREAMED):
            by_run = table.partitioned_by[1] == "run_id"
            place = partition_folder(folder, table, task, seconds[table.partitioned_by[1]])
            file = place / f"{'part-00000' if by_run else run_id}.parquet"
            count = records if table in TEXTS else 12 if table is SCORES else 1
            write_table(file, table, (row(table, task, run_id, started, i) for i in range(count)))
            key = f"tables/{file.relative_to(folder).as_posix()}"
            stage.aws.client("s3").upload_file(str(file), stage.names.bucket, key)
            file.unlink()


def row(table: Table, task: str, run_id: str, started: datetime, number: int) -> dict[str, Any]:
    """One row; a text is long where texts are."""
    values: dict[str, Any] = {
        "string": f"invented text {number} " * (20 if table in (PREDICTIONS, EVENTS) else 1),
        "bigint": number,
        "int": number,
        "double": 0.5,
        "boolean": True,
        "timestamp": started,
    }
    made = {column.name: values[column.type] for column in table.columns}
    fixed = {
        "run_id": run_id,
        "model": TASKS[task][number % len(TASKS[task])],
        "metric": "rougeL" if TASKS[task] is MODELS else "f1",
        "label": "Adverse_Event",
        "status": "Succeeded",
    }
    return made | {name: value for name, value in fixed.items() if name in made}


def report(measured: dict[str, dict[int, tuple[int, float]]], counts: list[int]) -> None:
    print(f"{'query':46}" + "".join(f"{f'{count} runs':>24}" for count in counts))
    for name, by_count in sorted(measured.items(), reverse=True):
        cells = (f"{by_count[count][0]:>12,} B {by_count[count][1]:>6.2f} s" for count in counts)
        print(f"{name:46}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
