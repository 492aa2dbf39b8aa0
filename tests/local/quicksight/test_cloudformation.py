"""A whole dashboard as a stack: made, changed, replaced, taken away, and what makes it fail."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from local.aws import LocalAws
from tests.local.aws_helpers import unique, wait_for
from tests.local.cloudformation_stack import Resources, Stack
from tests.local.quicksight.account import ACCOUNT, DASHBOARD_VIEWER, DATA_SET_VIEWER, PREFIX, RUN, Account
from tests.local.quicksight.definitions import column, definition

OTHER = {"StringDatasetParameter": {**RUN["StringDatasetParameter"], "Name": "other"}}


@pytest.fixture
def stack(aws: LocalAws) -> Stack:
    return Stack(aws)


@pytest.fixture
def ids() -> Iterator[dict[str, str]]:
    yield {kind: unique(kind) for kind in ("source", "set", "theme", "analysis", "dashboard")}


def arn_of(resource: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def quicksight(account: Account, ids: dict[str, str]) -> Resources:
    """A template with every type, as the CDK would write it."""
    sql = account.custom_sql(account.sql())["CustomSql"]
    own = {"AwsAccountId": {"Ref": "AWS::AccountId"}}
    content = definition()
    content["DataSetIdentifierDeclarations"][0]["DataSetArn"] = arn_of("Set")
    resources = {
        "Source": (
            "DataSource",
            {
                "DataSourceId": ids["source"],
                "Name": "Athena",
                "Type": "ATHENA",
                "DataSourceParameters": {"AthenaParameters": {"WorkGroup": account.workgroup}},
            },
        ),
        "Set": (
            "DataSet",
            {
                "DataSetId": ids["set"],
                "Name": "Scores",
                "ImportMode": "SPICE",
                "PhysicalTableMap": {"scores": {"CustomSql": {**sql, "DataSourceArn": arn_of("Source")}}},
                "DatasetParameters": [RUN],
                "FieldFolders": {"numbers": {"Columns": ["score"], "Description": "what was measured"}},
                "DataSetUsageConfiguration": {"DisableUseAsDirectQuerySource": "false"},
                "Permissions": [{"Principal": account.group, "Actions": DATA_SET_VIEWER}],
            },
        ),
        "Schedule": (
            "RefreshSchedule",
            {
                "DataSetId": ids["set"],
                "Schedule": {
                    "ScheduleId": "nightly",
                    "RefreshType": "FULL_REFRESH",
                    "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": "03:30", "TimeZone": "Europe/Berlin"},
                    "StartAfterDateTime": "2026-01-02T03:04:05Z",
                },
            },
        ),
        "Theme": (
            "Theme",
            {
                "ThemeId": ids["theme"],
                "Name": "Ours",
                "BaseThemeId": "CLASSIC",
                "Configuration": {"DataColorPalette": {"Colors": ["#111111"]}},
            },
        ),
        "Analysis": (
            "Analysis",
            {"AnalysisId": ids["analysis"], "Name": "Quality", "Definition": content, "ThemeArn": arn_of("Theme")},
        ),
        "Dashboard": (
            "Dashboard",
            {
                "DashboardId": ids["dashboard"],
                "Name": "Quality",
                "Definition": copy.deepcopy(content),
                "ThemeArn": arn_of("Theme"),
                "LinkEntities": [arn_of("Analysis")],
                "VersionDescription": "first",
                "Permissions": [{"Principal": account.group, "Actions": DASHBOARD_VIEWER}],
                "Tags": [{"Key": "stage", "Value": "tests"}],
                "ValidationStrategy": {"Mode": "STRICT"},
            },
        ),
    }
    made: Resources = {
        name: {"Type": f"AWS::QuickSight::{kind}", "Properties": {**own, **properties}}
        for name, (kind, properties) in resources.items()
    }
    made["Schedule"]["DependsOn"] = "Set"
    return made


def test_a_dashboard_is_deployed_with_all_that_it_needs(account: Account, stack: Stack, ids: dict[str, str]) -> None:
    client = account.client
    outputs: dict[str, Any] = {
        **{f"{name}Arn": arn_of(name) for name in ("Source", "Set", "Schedule", "Theme", "Analysis", "Dashboard")},
        "Dashboard": {"Ref": "Dashboard"},
        "Schedule": {"Ref": "Schedule"},
        "Status": {"Fn::GetAtt": ["Source", "Status"]},
        "Version": {"Fn::GetAtt": ["Dashboard", "Version.VersionNumber"]},
        "Size": {"Fn::GetAtt": ["Set", "ConsumedSpiceCapacityInBytes"]},
    }

    said = stack.deploy(quicksight(account, ids), outputs)

    assert said["Dashboard"] == f"{ACCOUNT}|{ids['dashboard']}"
    assert said["DashboardArn"] == f"{PREFIX}:dashboard/{ids['dashboard']}"
    assert said["Schedule"] == f"{ACCOUNT}|{ids['set']}|nightly"
    assert said["ScheduleArn"] == f"{PREFIX}:dataset/{ids['set']}/refresh-schedule/nightly"
    assert (said["Status"], said["Version"]) == ("CREATION_SUCCESSFUL", "1")
    # CloudFormation waited for the import, so its size is known.
    assert int(said["Size"]) > 0
    it = {"AwsAccountId": ACCOUNT, "DashboardId": ids["dashboard"]}
    dashboard = client.describe_dashboard(**it)["Dashboard"]
    assert dashboard["Version"]["Status"] == "CREATION_SUCCESSFUL"
    assert dashboard["Version"]["DataSetArns"] == [said["SetArn"]]
    assert dashboard["LinkEntities"] == [said["AnalysisArn"]]
    assert client.describe_dashboard_definition(**it)["Definition"] == definition(said["SetArn"])
    assert client.describe_dashboard_permissions(**it)["Permissions"][0]["Principal"] == account.group
    assert client.list_tags_for_resource(ResourceArn=said["DashboardArn"])["Tags"] == [
        {"Key": "stage", "Value": "tests"}
    ]
    data_set = client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=ids["set"])["DataSet"]
    assert data_set["FieldFolders"] == {"numbers": {"columns": ["score"], "description": "what was measured"}}
    assert data_set["DataSetUsageConfiguration"] == {"DisableUseAsDirectQuerySource": False}
    schedule = client.describe_refresh_schedule(AwsAccountId=ACCOUNT, DataSetId=ids["set"], ScheduleId="nightly")
    assert schedule["RefreshSchedule"]["ScheduleFrequency"]["Timezone"] == "Europe/Berlin"
    assert schedule["RefreshSchedule"]["StartAfterDateTime"].year == 2026

    stack.delete()

    for gone in (
        lambda: client.describe_dashboard(**it),
        lambda: client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=ids["set"]),
        lambda: client.describe_data_source(AwsAccountId=ACCOUNT, DataSourceId=ids["source"]),
        lambda: client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=ids["theme"]),
        lambda: client.describe_analysis(AwsAccountId=ACCOUNT, AnalysisId=ids["analysis"]),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            gone()


def test_an_update_publishes_and_a_changed_id_replaces(account: Account, stack: Stack, ids: dict[str, str]) -> None:
    client, resources = account.client, quicksight(account, ids)
    stack.deploy(resources)
    it = {"AwsAccountId": ACCOUNT, "DashboardId": ids["dashboard"]}
    dashboard = resources["Dashboard"]["Properties"]
    dashboard["Definition"]["Sheets"][0]["Name"] = "Second look"
    dashboard.update(VersionDescription="second", LinkEntities=[], Permissions=[], Tags=[{"Key": "a", "Value": "b"}])
    resources["Set"]["Properties"]["PhysicalTableMap"]["scores"]["CustomSql"]["SqlQuery"] = account.sql("'r2'")
    resources["Schedule"]["Properties"]["Schedule"]["ScheduleId"] = "weekly"
    resources["Theme"]["Properties"]["Name"] = "Ours still"

    stack.deploy(resources)

    described = client.describe_dashboard(**it)["Dashboard"]
    assert (described["Version"]["VersionNumber"], described["Version"]["Description"]) == (2, "second")
    assert described["Version"]["Sheets"][0]["Name"] == "Second look"
    assert described["LinkEntities"] == []
    assert client.describe_dashboard_permissions(**it)["Permissions"] == []
    arn = described["Arn"]
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    newest = client.list_ingestions(AwsAccountId=ACCOUNT, DataSetId=ids["set"])["Ingestions"][0]
    assert (newest["IngestionStatus"], newest["RowInfo"]["RowsIngested"]) == ("COMPLETED", 1)
    wait_for(
        lambda: (
            [
                schedule["ScheduleId"]
                for schedule in client.list_refresh_schedules(AwsAccountId=ACCOUNT, DataSetId=ids["set"])[
                    "RefreshSchedules"
                ]
            ]
            == ["weekly"]
        ),
        "the old schedule to go",
    )
    assert client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=ids["theme"])["Theme"]["Name"] == "Ours still"

    renamed = unique("dashboard")
    dashboard["DashboardId"] = renamed
    stack.deploy(resources)

    assert client.describe_dashboard(AwsAccountId=ACCOUNT, DashboardId=renamed)["Dashboard"]["Name"] == "Quality"

    def old_is_gone() -> bool:
        try:
            client.describe_dashboard(**it)
        except client.exceptions.ResourceNotFoundException:
            return True
        return False

    wait_for(old_is_gone, "the old dashboard to go")
    stack.delete()


def test_a_dashboard_with_an_error_fails_the_stack_and_leaves_nothing(
    account: Account, stack: Stack, ids: dict[str, str]
) -> None:
    resources = quicksight(account, ids)
    resources["Dashboard"]["Properties"]["Definition"]["ColumnConfigurations"][0]["Column"] = column("nothing")

    with pytest.raises(WaiterError):
        stack.deploy(resources)

    reasons = stack.reasons()
    assert "COLUMN_REPLACEMENT_MISSING: column configuration '0': Required column 'nothing' is missing" in reasons
    with pytest.raises(account.client.exceptions.ResourceNotFoundException):
        account.client.describe_dashboard(AwsAccountId=ACCOUNT, DashboardId=ids["dashboard"])


def test_an_update_with_an_error_leaves_the_published_version(
    account: Account, stack: Stack, ids: dict[str, str]
) -> None:
    resources = quicksight(account, ids)
    stack.deploy(resources)
    broken = copy.deepcopy(resources)
    broken["Dashboard"]["Properties"]["Definition"]["ColumnConfigurations"][0]["Column"] = column("nothing")

    with pytest.raises(WaiterError):
        stack.deploy(broken)

    version = account.client.describe_dashboard(AwsAccountId=ACCOUNT, DashboardId=ids["dashboard"])["Dashboard"][
        "Version"
    ]
    assert version["Status"] == "CREATION_SUCCESSFUL"
    stack.delete()


@pytest.mark.parametrize(
    ("resource", "properties", "message"),
    [
        ("Source", {"DataSourceParameters": {"AthenaParameters": {"WorkGroup": "nobody"}}}, "WorkGroup nobody"),
        ("Source", {"AlternateDataSourceParameters": []}, "does not offer AlternateDataSourceParameters"),
        ("Set", {"DataSetRefreshProperties": {}}, "does not offer DataSetRefreshProperties"),
        ("Set", {"FolderArns": ["a"]}, "FolderArns: the local AWS does not offer this"),
        ("Set", {"DatasetParameters": [OTHER]}, "does not declare: run"),
        (
            "Dashboard",
            {"Permissions": [{"Principal": f"{PREFIX}:group/default/nobody", "Actions": DASHBOARD_VIEWER}]},
            "not valid QuickSight users",
        ),
    ],
)
def test_what_is_wrong_with_a_resource_is_the_reason_of_the_stack(
    account: Account, stack: Stack, ids: dict[str, str], resource: str, properties: dict[str, Any], message: str
) -> None:
    resources = quicksight(account, ids)
    resources[resource]["Properties"].update(properties)

    with pytest.raises(WaiterError):
        stack.deploy(resources)

    assert message in stack.reasons()


def test_sql_that_fails_fails_a_stack_that_waits_for_the_import(
    account: Account, stack: Stack, ids: dict[str, str]
) -> None:
    resources = {name: content for name, content in quicksight(account, ids).items() if name in ("Source", "Set")}
    sql = resources["Set"]["Properties"]["PhysicalTableMap"]["scores"]["CustomSql"]
    sql["SqlQuery"] = account.sql().replace("metric", "metrik")

    with pytest.raises(WaiterError):
        stack.deploy(resources)

    assert "SPICE ingestion failed: SQL_EXCEPTION" in stack.reasons()
    with pytest.raises(ClientError, match="is not found"):
        account.client.describe_data_set(AwsAccountId=ACCOUNT, DataSetId=ids["set"])

    unwaited = Stack(account.aws)
    resources["Set"]["Properties"]["IngestionWaitPolicy"] = {"WaitForSpiceIngestion": "false"}
    unwaited.deploy(resources)
    unwaited.delete()
