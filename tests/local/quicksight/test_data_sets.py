"""Data sources, data sets, ingestions, refresh schedules and permissions, through boto3."""

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws_helpers import unique
from tests.local.quicksight.account import ACCOUNT, DATA_SET_VIEWER, PREFIX, Account
from tests.local.quicksight.definitions import COLUMNS

DESCRIBED = {"TagColumnOperation": {"ColumnName": "score", "Tags": [{"ColumnDescription": {"Text": "F1 in [0, 1]"}}]}}


def source_of(account: Account, arn: str) -> dict[str, Any]:
    answer = account.client.describe_data_source(AwsAccountId=ACCOUNT, DataSourceId=arn.rpartition("/")[2])
    found: dict[str, Any] = answer["DataSource"]
    return found


def logical(*transforms: dict[str, Any], source: dict[str, Any] | None = None) -> dict[str, Any]:
    table: dict[str, Any] = {"Alias": "scores", "Source": source or {"PhysicalTableId": "scores"}}
    return {"scores": {**table, "DataTransforms": list(transforms)}}


def test_a_data_source_is_made_changed_listed_and_deleted(account: Account) -> None:
    client, identity = account.client, unique("source")
    parameters = {"AthenaParameters": {"WorkGroup": account.workgroup}}
    request = {"AwsAccountId": ACCOUNT, "DataSourceId": identity, "Name": "A", "DataSourceParameters": parameters}

    created = client.create_data_source(**request, Type="ATHENA", Tags=[{"Key": "a", "Value": "b"}])

    assert created["Status"] == 202
    assert created["CreationStatus"] == "CREATION_IN_PROGRESS"
    assert created["Arn"] == f"{PREFIX}:datasource/{identity}"
    described = source_of(account, created["Arn"])
    assert described["Status"] == "CREATION_SUCCESSFUL"
    assert described["DataSourceParameters"] == parameters
    assert isinstance(described["CreatedTime"], datetime)
    assert client.list_tags_for_resource(ResourceArn=created["Arn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(client.exceptions.ResourceExistsException):
        client.create_data_source(**request, Type="ATHENA")
    client.update_data_source(**{**request, "Name": "B"})
    changed = source_of(account, created["Arn"])
    assert changed["Name"] == "B"
    assert changed["CreatedTime"] == described["CreatedTime"]
    assert identity in [item["DataSourceId"] for item in client.list_data_sources(AwsAccountId=ACCOUNT)["DataSources"]]
    client.delete_data_source(AwsAccountId=ACCOUNT, DataSourceId=identity)
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=identity):
        source_of(account, created["Arn"])


@pytest.mark.parametrize(
    ("athena", "kind", "message"),
    [
        ({"WorkGroup": "nobody"}, "GENERIC_SQL_FAILURE", "WorkGroup nobody"),
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "ACCESS_DENIED", "could not assume"),
    ],
)
def test_a_data_source_that_cannot_be_reached_says_why(
    account: Account, athena: dict[str, str], kind: str, message: str
) -> None:
    described = source_of(account, account.data_source(**athena))
    assert described["Status"] == "CREATION_FAILED"
    assert described["ErrorInfo"]["Type"] == kind
    assert message in described["ErrorInfo"]["Message"]


def test_a_data_source_that_is_not_athena_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="the local AWS offers ATHENA, not POSTGRESQL"):
        account.client.create_data_source(AwsAccountId=ACCOUNT, DataSourceId="a", Name="a", Type="POSTGRESQL")


def test_a_data_set_has_the_columns_that_its_tables_give(account: Account) -> None:
    client = account.client
    transforms = logical(
        {"RenameColumnOperation": {"ColumnName": "metric", "NewColumnName": "Metric"}},
        {"CastColumnTypeOperation": {"ColumnName": "records", "NewColumnType": "DECIMAL"}},
        DESCRIBED,
        {"ProjectOperation": {"ProjectedColumns": ["Metric", "records", "score"]}},
    )
    request = account.data_set_request(LogicalTableMap=transforms, DataSetUsageConfiguration={})

    created = client.create_data_set(**request)

    assert created["Status"] == 201
    assert "IngestionId" not in created
    described = client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])["DataSet"]
    assert described["OutputColumns"] == [
        {"Name": "Metric", "Type": "STRING"},
        {"Name": "records", "Type": "DECIMAL"},
        {"Name": "score", "Type": "DECIMAL", "Description": "F1 in [0, 1]"},
    ]
    for member in ("PhysicalTableMap", "LogicalTableMap", "DatasetParameters", "ImportMode"):
        assert described[member] == request[member]
    assert described["ConsumedSpiceCapacityInBytes"] == 0
    update = {member: value for member, value in request.items() if member != "LogicalTableMap"}
    client.update_data_set(**{**update, "Name": "B"})
    changed = client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])["DataSet"]
    assert "LogicalTableMap" not in changed
    assert [column["Name"] for column in changed["OutputColumns"]] == list(COLUMNS)
    client.delete_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"DataSourceArn": f"{PREFIX}:datasource/gone"}, "ResourceNotFoundException", "datasource/gone is not found"),
        ({"Columns": []}, "InvalidParameterValueException", "a table without columns"),
        (
            {"Columns": [{"Name": "a", "Type": "BOOLEAN"}]},
            "InvalidParameterValueException",
            "column a: the local AWS offers .* not BOOLEAN; cast it in the SQL",
        ),
        (
            {"Columns": [{"Name": "a", "Type": "STRING"}, {"Name": "a", "Type": "STRING"}]},
            "InvalidParameterValueException",
            "column a is declared twice",
        ),
        ({"SqlQuery": "SELECT <<$ran>>"}, "InvalidDataSetParameterValueException", "does not declare: ran"),
    ],
)
def test_custom_sql_that_cannot_be_is_refused(
    account: Account, table: dict[str, Any], error: str, message: str
) -> None:
    sql = {**account.custom_sql(account.sql())["CustomSql"], **table}
    with pytest.raises(ClientError, match=message) as refusal:
        account.data_set(PhysicalTableMap={"scores": {"CustomSql": sql}})
    assert refusal.value.response["Error"]["Code"] == error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"LogicalTableMap": logical({"ProjectOperation": {"ProjectedColumns": ["scor"]}})},
            "ProjectOperation names columns that are not there: scor",
        ),
        (
            {"LogicalTableMap": logical({"FilterOperation": {"ConditionExpression": "{score} > 0"}})},
            "not FilterOperation",
        ),
        (
            {"LogicalTableMap": logical(DESCRIBED, source={"DataSetArn": f"{PREFIX}:dataset/other"})},
            "offers PhysicalTableId scores",
        ),
        ({"FieldFolders": {"f": {"columns": ["scor"]}}}, "FieldFolders.f: columns that are not there: scor"),
        ({"PhysicalTableMap": {}}, "one table a data set, got 0"),
        ({"UseAs": "RLS_RULES"}, "UseAs: the local AWS does not offer this"),
    ],
)
def test_a_data_set_that_cannot_be_is_refused(account: Account, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refusal:
        account.data_set(**change)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_spice_data_set_is_imported_when_it_is_made_and_when_it_is_changed(account: Account) -> None:
    client = account.client
    request = account.data_set_request(ImportMode="SPICE")

    created = client.create_data_set(**request)

    ingestion = account.ingestion(request["DataSetId"], created["IngestionId"])
    assert ingestion["IngestionStatus"] == "COMPLETED"
    assert ingestion["RequestType"] == "INITIAL_INGESTION"
    assert ingestion["RowInfo"] == {"RowsIngested": 3, "RowsDropped": 0, "TotalRowsInDataset": 3}
    described = client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])["DataSet"]
    assert described["ConsumedSpiceCapacityInBytes"] == ingestion["IngestionSizeInBytes"] > 0

    request["PhysicalTableMap"]["scores"]["CustomSql"]["SqlQuery"] = account.sql("'r2'")
    updated = client.update_data_set(**request)

    edit = account.ingestion(request["DataSetId"], updated["IngestionId"])
    assert (edit["RequestType"], edit["RowInfo"]["RowsIngested"]) == ("EDIT", 1)
    again = client.create_ingestion(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"], IngestionId="again")
    assert again["IngestionStatus"] == "INITIALIZED"
    assert account.ingestion(request["DataSetId"], "again")["RequestType"] == "FULL_REFRESH"
    listed = client.list_ingestions(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])["Ingestions"]
    assert [item["RequestType"] for item in listed] == ["FULL_REFRESH", "EDIT", "INITIAL_INGESTION"]
    with pytest.raises(client.exceptions.ResourceExistsException):
        client.create_ingestion(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"], IngestionId="again")


def test_a_table_of_the_catalogue_is_read_as_it_is(account: Account) -> None:
    account.tables.create("plain", {"a": "bigint"}, [], {"classification": "parquet"})
    account.tables.write("plain/a.parquet", [{"a": 1}, {"a": 2}])
    relation = {
        "DataSourceArn": account.source,
        "Schema": account.tables.database,
        "Name": "plain",
        "InputColumns": [{"Name": "a", "Type": "INTEGER"}],
    }

    created = account.data_set(ImportMode="SPICE", PhysicalTableMap={"plain": {"RelationalTable": relation}})

    assert account.ingestion(created["DataSetId"], created["IngestionId"])["RowInfo"]["RowsIngested"] == 2


@pytest.mark.parametrize(
    ("sql", "columns", "kind", "message"),
    [
        ("SELECT nothing FROM {scores} WHERE run_id = 'r1'", {"nothing": "STRING"}, "SQL_EXCEPTION", "nothing"),
        ("SELECT metric FROM scores WHERE run_id = 'r1'", {"metric": "STRING"}, "SQL_EXCEPTION", "scores"),
        ("SELECT metric FROM {scores}", {"metric": "STRING"}, "SQL_EXCEPTION", "injected projected partition column"),
        (
            "SELECT metric FROM {scores} WHERE run_id = 'r1'",
            {"metric": "STRING", "score": "DECIMAL"},
            "SQL_SCHEMA_MISMATCH_ERROR",
            "the SQL gives no column 'score'; it gives metric",
        ),
        (
            "SELECT score AS metric FROM {scores} WHERE run_id = 'r1'",
            {"metric": "STRING"},
            "SQL_SCHEMA_MISMATCH_ERROR",
            "column 'metric' is declared STRING, but the SQL gives double",
        ),
    ],
)
def test_an_ingestion_that_fails_says_why(
    account: Account, sql: str, columns: dict[str, str], kind: str, message: str
) -> None:
    query = sql.format(scores=f'"{account.tables.database}"."scores"')
    table = account.custom_sql(query, columns)

    created = account.data_set(ImportMode="SPICE", PhysicalTableMap={"scores": table})

    ingestion = account.ingestion(created["DataSetId"], created["IngestionId"])
    assert ingestion["IngestionStatus"] == "FAILED"
    assert ingestion["ErrorInfo"]["Type"] == kind
    assert message in ingestion["ErrorInfo"]["Message"]


def test_an_ingestion_that_fails_never_quotes_the_data(account: Account) -> None:
    account.tables.create("texts", {"finding": "string"}, [], {"classification": "parquet"})
    account.tables.write("texts/a.parquet", [{"finding": "what a patient said"}])
    sql = f'SELECT CAST(finding AS bigint) AS n FROM "{account.tables.database}"."texts"'

    created = account.data_set(
        ImportMode="SPICE", PhysicalTableMap={"texts": account.custom_sql(sql, {"n": "INTEGER"})}
    )

    error = account.ingestion(created["DataSetId"], created["IngestionId"])["ErrorInfo"]
    assert "Conversion Error" in error["Message"]
    assert "patient" not in error["Message"]


def test_a_parameter_without_value_fails_the_ingestion(account: Account) -> None:
    parameter = {"StringDatasetParameter": {"Id": "x", "Name": "run", "ValueType": "SINGLE_VALUED"}}

    created = account.data_set(ImportMode="SPICE", DatasetParameters=[parameter])

    error = account.ingestion(created["DataSetId"], created["IngestionId"])["ErrorInfo"]
    assert error == {"Type": "SQL_INVALID_PARAMETER_VALUE", "Message": "parameter run has no value"}


def test_a_direct_query_has_no_ingestion_and_no_schedule(account: Account) -> None:
    identity = account.data_set()["DataSetId"]
    with pytest.raises(ClientError, match="is not a SPICE data set") as refusal:
        account.client.create_ingestion(AwsAccountId=ACCOUNT, DataSetId=identity, IngestionId="a")
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError, match="is not a SPICE data set"):
        account.client.create_refresh_schedule(AwsAccountId=ACCOUNT, DataSetId=identity, Schedule=schedule())


def schedule(**frequency: Any) -> dict[str, Any]:
    return {
        "ScheduleId": "nightly",
        "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": "03:30", "Timezone": "UTC", **frequency},
        "RefreshType": "FULL_REFRESH",
    }


def test_a_refresh_schedule_is_made_changed_listed_and_deleted(account: Account) -> None:
    client, identity = account.client, account.data_set(ImportMode="SPICE")["DataSetId"]
    where = {"AwsAccountId": ACCOUNT, "DataSetId": identity}

    created = client.create_refresh_schedule(**where, Schedule=schedule())

    assert created["Arn"] == f"{PREFIX}:dataset/{identity}/refresh-schedule/nightly"
    with pytest.raises(client.exceptions.ResourceExistsException):
        client.create_refresh_schedule(**where, Schedule=schedule())
    client.update_refresh_schedule(**where, Schedule=schedule(TimeOfTheDay="04:00"))
    found = client.describe_refresh_schedule(**where, ScheduleId="nightly")["RefreshSchedule"]
    assert found["ScheduleFrequency"]["TimeOfTheDay"] == "04:00"
    assert client.list_refresh_schedules(**where)["RefreshSchedules"] == [found]
    client.delete_refresh_schedule(**where, ScheduleId="nightly")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_refresh_schedule(**where, ScheduleId="nightly")


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        ({"TimeOfTheDay": "24:00"}, "TimeOfTheDay as HH:MM"),
        ({"Interval": "WEEKLY"}, "RefreshOnDay.DayOfWeek is required"),
        ({"Interval": "MINUTE15"}, "is for incremental refreshes"),
    ],
)
def test_a_schedule_whose_times_do_not_fit_is_refused(
    account: Account, frequency: dict[str, Any], message: str
) -> None:
    identity = account.data_set(ImportMode="SPICE")["DataSetId"]
    with pytest.raises(ClientError, match=message):
        account.client.create_refresh_schedule(AwsAccountId=ACCOUNT, DataSetId=identity, Schedule=schedule(**frequency))


def test_permissions_are_granted_and_revoked(account: Account) -> None:
    client = account.client
    grant = {"Principal": account.group, "Actions": DATA_SET_VIEWER}
    identity = account.data_set(Permissions=[grant])["DataSetId"]
    where = {"AwsAccountId": ACCOUNT, "DataSetId": identity}
    assert client.describe_data_set_permissions(**where)["Permissions"] == [grant]

    client.update_data_set_permissions(**where, RevokePermissions=[grant])

    assert client.describe_data_set_permissions(**where)["Permissions"] == []


@pytest.mark.parametrize(
    ("principal", "actions", "message"),
    [
        (f"{PREFIX}:group/default/nobody", DATA_SET_VIEWER, "not valid QuickSight users: .*group/default/nobody"),
        (f"{PREFIX}:namespace/default", DATA_SET_VIEWER, "not valid QuickSight users"),
        (f"arn:aws:iam::{ACCOUNT}:root", DATA_SET_VIEWER, "not valid QuickSight users"),
        (None, ["quicksight:DescribeDataSet"], "unsupported permission sets for this resource"),
        (None, [*DATA_SET_VIEWER, "quicksight:DescribeTheme"], "unsupported permission sets"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_and_nothing_is_made(
    account: Account, principal: str | None, actions: list[str], message: str
) -> None:
    request = account.data_set_request(Permissions=[{"Principal": principal or account.group, "Actions": actions}])
    with pytest.raises(ClientError, match=message) as refusal:
        account.client.create_data_set(**request)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(account.client.exceptions.ResourceNotFoundException):
        account.client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=request["DataSetId"])


def test_lists_come_in_pages(account: Account) -> None:
    made = {account.data_set()["DataSetId"] for _ in range(3)}
    pages = account.client.get_paginator("list_data_sets").paginate(
        AwsAccountId=ACCOUNT, PaginationConfig={"PageSize": 2}
    )
    listed = [item["DataSetId"] for page in pages for item in page["DataSetSummaries"]]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))
