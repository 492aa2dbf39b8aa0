"""Reading a deployed dashboard through QuickSight's documented responses."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from local.dashboard.errors import SourceError
from local.dashboard.source import read_dashboard
from stacks.dashboard.definition import definition
from stacks.dashboard.parts import DataSet
from stacks.dashboard.report.report_dashboard import report_dashboard
from tests.dashboard.world import TASKS

ACCOUNT = "000000000000"
DASHBOARD = report_dashboard(TASKS)
_PREFIX = f"arn:aws:quicksight:us-east-1:{ACCOUNT}"
Json = dict[str, Any]


@pytest.fixture
def quicksight() -> Any:
    return boto3.client(
        "quicksight", region_name="us-east-1", aws_access_key_id="invented", aws_secret_access_key="invented"
    )


@pytest.fixture
def stubber(quicksight: Any) -> Iterator[Stubber]:
    with Stubber(quicksight) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _definition() -> Json:
    return definition(DASHBOARD, {one.name: f"{_PREFIX}:dataset/id-of-{one.name}" for one in DASHBOARD.data_sets})


def _data_set(data_set: DataSet) -> Json:
    query = {
        "DataSourceArn": f"{_PREFIX}:datasource/athena",
        "Name": data_set.name,
        "SqlQuery": data_set.sql,
        "Columns": [{"Name": column.name, "Type": column.kind.value} for column in data_set.columns],
    }
    described: Json = {
        "DataSetId": f"id-of-{data_set.name}",
        "Name": data_set.title,
        "ImportMode": "DIRECT_QUERY" if data_set.is_direct else "SPICE",
        "PhysicalTableMap": {"query": {"CustomSql": query}},
    }
    if data_set.parameters:
        described["DatasetParameters"] = [_parameter(name) for name in data_set.parameters]
    return described


def _parameter(name: str) -> Json:
    return {
        "StringDatasetParameter": {
            "Id": f"parameter-{name}",
            "Name": name,
            "ValueType": "SINGLE_VALUED",
            "DefaultValues": {"StaticValues": [f"default {name}"]},
        }
    }


def _expect_dashboard(stubber: Stubber, **more: Any) -> None:
    asked = {"AwsAccountId": ACCOUNT, "DashboardId": "board"}
    described = {"DashboardId": "board", "Name": "Report tuning", "Definition": _definition(), **more}
    stubber.add_response("describe_dashboard_definition", described, asked)


def _expect_version(stubber: Stubber) -> None:
    asked = {"AwsAccountId": ACCOUNT, "DashboardId": "board"}
    stubber.add_response("describe_dashboard", {"Dashboard": {"Version": {"VersionNumber": 7}}}, asked)


def _expect_data_set(stubber: Stubber, described: Json) -> None:
    asked = {"AwsAccountId": ACCOUNT, "DataSetId": described["DataSetId"]}
    stubber.add_response("describe_data_set", {"DataSet": described}, asked)


def test_a_dashboard_is_read_with_its_data_sets_and_theme(quicksight: Any, stubber: Stubber) -> None:
    theme = {"DataColorPalette": {"Colors": ["#112233", "#445566"]}}
    _expect_dashboard(stubber, ThemeArn=f"{_PREFIX}:theme/ours")
    _expect_version(stubber)
    stubber.add_response(
        "describe_theme",
        {"Theme": {"Version": {"Configuration": theme}}},
        {"AwsAccountId": ACCOUNT, "ThemeId": "ours"},
    )
    for data_set in DASHBOARD.data_sets:
        _expect_data_set(stubber, _data_set(data_set))
    deployed = read_dashboard(quicksight, ACCOUNT, "board")
    assert (deployed.title, deployed.version, deployed.theme) == ("Report tuning", 7, theme)
    assert deployed.definition == _definition()
    reports = deployed.data_sets["reports"]
    assert reports.contents.mode == "direct" and deployed.data_sets["runs"].contents.mode == "spice"
    assert [(one.name, one.default) for one in reports.contents.parameters][:2] == [
        ("task", "default task"),
        ("run", "default run"),
    ]
    assert "<<$search>>" in reports.sql
    types = {column.name: column.type for column in deployed.data_sets["runs"].contents.columns}
    assert (types["started_at"], types["uploaded"], types["minutes"]) == ("DATETIME", "INTEGER", "DECIMAL")


def test_quicksights_own_theme_brings_no_colours(quicksight: Any, stubber: Stubber) -> None:
    _expect_dashboard(stubber, ThemeArn="arn:aws:quicksight::aws:theme/CLASSIC")
    _expect_version(stubber)
    for data_set in DASHBOARD.data_sets:
        _expect_data_set(stubber, _data_set(data_set))
    assert read_dashboard(quicksight, ACCOUNT, "board").theme is None


def test_a_dashboard_deployed_with_errors_is_not_drawn(quicksight: Any, stubber: Stubber) -> None:
    errors = [{"Type": "COLUMN_TYPE_MISMATCH", "Message": "column mean"}]
    _expect_dashboard(stubber, Errors=errors)
    with pytest.raises(SourceError, match="COLUMN_TYPE_MISMATCH: column mean"):
        read_dashboard(quicksight, ACCOUNT, "board")


def _joined(described: Json) -> None:
    join = {"LeftOperand": "a", "RightOperand": "b", "Type": "INNER", "OnClause": "a = b"}
    described["LogicalTableMap"] = {"joined": {"Alias": "joined", "Source": {"JoinInstruction": join}}}


def _renamed(described: Json) -> None:
    step = {"RenameColumnOperation": {"ColumnName": "task", "NewColumnName": "job"}}
    source = {"PhysicalTableId": "query"}
    described["LogicalTableMap"] = {"one": {"Alias": "one", "Source": source, "DataTransforms": [step]}}


def _two_tables(described: Json) -> None:
    described["PhysicalTableMap"]["other"] = described["PhysicalTableMap"]["query"]


def _file(described: Json) -> None:
    columns = [{"Name": "a", "Type": "STRING"}]
    source = {"DataSourceArn": f"{_PREFIX}:datasource/s3", "InputColumns": columns}
    described["PhysicalTableMap"] = {"file": {"S3Source": source}}


def _number_parameter(described: Json) -> None:
    described["DatasetParameters"] = [
        {"IntegerDatasetParameter": {"Id": "i", "Name": "step", "ValueType": "SINGLE_VALUED"}}
    ]


def _json_column(described: Json) -> None:
    described["PhysicalTableMap"]["query"]["CustomSql"]["Columns"][0]["Type"] = "JSON"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_joined, "JoinInstruction"),
        (_renamed, "RenameColumnOperation"),
        (_two_tables, "2 physical tables"),
        (_file, "S3Source"),
        (_number_parameter, "IntegerDatasetParameter"),
        (_json_column, "JSON"),
    ],
)
def test_a_data_set_that_cannot_be_asked_truly_is_refused_by_name(
    quicksight: Any, stubber: Stubber, change: Any, named: str
) -> None:
    _expect_dashboard(stubber)
    _expect_version(stubber)
    described = _data_set(DASHBOARD.data_sets[0])
    change(described)
    _expect_data_set(stubber, described)
    with pytest.raises(SourceError, match=rf"data set runs: .*{named}"):
        read_dashboard(quicksight, ACCOUNT, "board")


def test_tags_of_columns_change_no_rows(quicksight: Any, stubber: Stubber) -> None:
    _expect_dashboard(stubber)
    _expect_version(stubber)
    for data_set in DASHBOARD.data_sets:
        described = _data_set(data_set)
        step = {"TagColumnOperation": {"ColumnName": "task", "Tags": [{"ColumnDescription": {"Text": "which task"}}]}}
        source = {"PhysicalTableId": "query"}
        described["LogicalTableMap"] = {"one": {"Alias": "one", "Source": source, "DataTransforms": [step]}}
        _expect_data_set(stubber, described)
    assert len(read_dashboard(quicksight, ACCOUNT, "board").data_sets) == len(DASHBOARD.data_sets)
