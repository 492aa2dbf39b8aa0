"""Themes, analyses and dashboards, through boto3."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws_helpers import unique
from tests.local.quicksight.account import ACCOUNT, DASHBOARD_VIEWER, PREFIX, Account
from tests.local.quicksight.definitions import column, definition

CLASSIC = "arn:aws:quicksight::aws:theme/CLASSIC"
COLOURS = {"DataColorPalette": {"Colors": ["#111111", "#222222"]}}


@pytest.fixture(scope="module")
def data_set(account: Account) -> str:
    """The data set that the sample definition fits; its ARN."""
    return str(account.data_set()["Arn"])


def broken(data_set: str) -> dict[str, Any]:
    """A definition with a column that the data set has not."""
    changed = definition(data_set)
    changed["ColumnConfigurations"][0]["Column"] = column("nothing")
    return changed


def dashboard_request(data_set: str, **changes: Any) -> dict[str, Any]:
    request = {"AwsAccountId": ACCOUNT, "DashboardId": unique("dashboard"), "Name": "Quality"}
    return {**request, "Definition": definition(data_set), **changes}


def where(request: dict[str, Any]) -> dict[str, str]:
    return {"AwsAccountId": ACCOUNT, "DashboardId": request["DashboardId"]}


def test_a_theme_has_versions(account: Account) -> None:
    client, identity = account.client, unique("theme")
    request = {"AwsAccountId": ACCOUNT, "ThemeId": identity, "BaseThemeId": "CLASSIC"}

    created = client.create_theme(**request, Name="Ours", Configuration=COLOURS, VersionDescription="first")

    assert created["Arn"] == f"{PREFIX}:theme/{identity}"
    assert created["VersionArn"] == f"{PREFIX}:theme/{identity}/version/1"
    theme = client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=identity)["Theme"]
    assert theme["Version"]["Configuration"] == COLOURS
    assert theme["Version"]["Status"] == "CREATION_SUCCESSFUL"
    changed = {"DataColorPalette": {"Colors": ["#333333"]}}
    client.update_theme(**request, Name="Ours still", Configuration=changed)
    latest = client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=identity)["Theme"]
    assert (latest["Name"], latest["Version"]["VersionNumber"]) == ("Ours still", 2)
    assert latest["Version"]["Configuration"] == changed
    first = client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=identity, VersionNumber=1)["Theme"]["Version"]
    assert (first["Configuration"], first["Description"]) == (COLOURS, "first")
    versions = client.list_theme_versions(AwsAccountId=ACCOUNT, ThemeId=identity)["ThemeVersionSummaryList"]
    assert [version["VersionNumber"] for version in versions] == [1, 2]
    (listed,) = [
        item
        for item in client.list_themes(AwsAccountId=ACCOUNT, Type="CUSTOM")["ThemeSummaryList"]
        if item["ThemeId"] == identity
    ]
    assert listed["LatestVersionNumber"] == 2
    client.delete_theme(AwsAccountId=ACCOUNT, ThemeId=identity)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_theme(AwsAccountId=ACCOUNT, ThemeId=identity)


def test_a_theme_needs_a_base_that_exists(account: Account) -> None:
    with pytest.raises(ClientError, match="theme/GAUDY is not found"):
        account.client.create_theme(
            AwsAccountId=ACCOUNT, ThemeId="a", Name="a", BaseThemeId="GAUDY", Configuration=COLOURS
        )


def test_themes_of_awss_own_cannot_be_read(account: Account) -> None:
    with pytest.raises(ClientError, match="does not hold what belongs to aws"):
        account.client.describe_theme(AwsAccountId="aws", ThemeId="CLASSIC")


def test_a_dashboard_is_kept_as_it_was_given(account: Account, data_set: str) -> None:
    client = account.client
    options = {"AdHocFilteringOption": {"AvailabilityStatus": "DISABLED"}}
    grant = {"Principal": account.group, "Actions": DASHBOARD_VIEWER}
    request = dashboard_request(
        data_set,
        ThemeArn=CLASSIC,
        DashboardPublishOptions=options,
        VersionDescription="first",
        Permissions=[grant],
        ValidationStrategy={"Mode": "STRICT"},
    )
    # Times are seconds on the wire and come back as times.
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    request["Definition"]["ParameterDeclarations"].append(
        {"DateTimeParameterDeclaration": {"Name": "Since", "DefaultValues": {"StaticValues": [moment]}}}
    )

    created = client.create_dashboard(**request)

    assert (created["Status"], created["CreationStatus"]) == (202, "CREATION_IN_PROGRESS")
    arn = f"{PREFIX}:dashboard/{request['DashboardId']}"
    assert (created["Arn"], created["VersionArn"]) == (arn, f"{arn}/version/1")
    dashboard = client.describe_dashboard(**where(request))["Dashboard"]
    assert isinstance(dashboard["LastPublishedTime"], datetime)
    version = dashboard["Version"]
    assert version["Status"] == "CREATION_SUCCESSFUL"
    assert version["Sheets"] == [{"SheetId": "overview", "Name": "Overview"}]
    assert version["DataSetArns"] == [data_set]
    assert (version["ThemeArn"], version["Description"]) == (CLASSIC, "first")
    described = client.describe_dashboard_definition(**where(request))
    assert described["Definition"] == request["Definition"]
    assert described["DashboardPublishOptions"] == options
    assert described["ResourceStatus"] == "CREATION_SUCCESSFUL"
    assert "Errors" not in described
    assert client.describe_dashboard_permissions(**where(request))["Permissions"] == [grant]


def test_a_dashboard_has_versions_and_one_of_them_is_published(account: Account, data_set: str) -> None:
    client, request = account.client, dashboard_request(data_set)
    client.create_dashboard(**request)
    changed = copy.deepcopy(request["Definition"])
    changed["Sheets"][0]["Name"] = "Second look"

    updated = client.update_dashboard(**{**request, "Definition": changed, "VersionDescription": "second"})

    assert updated["VersionArn"].endswith("/version/2")
    assert client.describe_dashboard(**where(request))["Dashboard"]["Version"]["VersionNumber"] == 1
    latest = client.describe_dashboard(**where(request), AliasName="$LATEST")["Dashboard"]["Version"]
    assert (latest["VersionNumber"], latest["Description"]) == (2, "second")
    answer = client.update_dashboard_published_version(**where(request), VersionNumber=2)
    assert answer["DashboardArn"].endswith(request["DashboardId"])
    assert client.describe_dashboard_definition(**where(request))["Definition"] == changed
    first = client.describe_dashboard_definition(**where(request), VersionNumber=1)["Definition"]
    assert first == request["Definition"]
    versions = client.list_dashboard_versions(**where(request))["DashboardVersionSummaryList"]
    assert [version["VersionNumber"] for version in versions] == [1, 2]
    (listed,) = [
        item
        for item in client.list_dashboards(AwsAccountId=ACCOUNT)["DashboardSummaryList"]
        if item["DashboardId"] == request["DashboardId"]
    ]
    assert listed["PublishedVersionNumber"] == 2
    with pytest.raises(client.exceptions.ConflictException, match="version/2 is published"):
        client.delete_dashboard(**where(request), VersionNumber=2)
    client.delete_dashboard(**where(request), VersionNumber=1)
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no version 1"):
        client.describe_dashboard(**where(request), VersionNumber=1)
    client.delete_dashboard(**where(request))
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_dashboard(**where(request))


def test_a_dashboard_with_errors_fails_and_says_which(account: Account, data_set: str) -> None:
    client, request = account.client, dashboard_request(data_set, Definition=broken(data_set))

    client.create_dashboard(**request)

    version = client.describe_dashboard(**where(request))["Dashboard"]["Version"]
    assert version["Status"] == "CREATION_FAILED"
    (error,) = version["Errors"]
    assert error["Type"] == "COLUMN_REPLACEMENT_MISSING"
    assert f"Required column 'nothing' is missing in data set 'scores' ({data_set})" in error["Message"]
    assert error["ViolatedEntities"] == [{"Path": "ColumnConfigurations[0].Column"}]
    described = client.describe_dashboard_definition(**where(request))
    assert (described["ResourceStatus"], described["Errors"]) == ("CREATION_FAILED", [error])


def test_a_version_with_errors_is_not_published(account: Account, data_set: str) -> None:
    client, request = account.client, dashboard_request(data_set)
    client.create_dashboard(**request)
    client.update_dashboard(**{**request, "Definition": broken(data_set)})

    with pytest.raises(client.exceptions.ConflictException, match="CREATION_FAILED; it cannot be published"):
        client.update_dashboard_published_version(**where(request), VersionNumber=2)

    assert client.describe_dashboard(**where(request))["Dashboard"]["Version"]["Status"] == "CREATION_SUCCESSFUL"


def test_a_data_set_that_is_gone_is_named(account: Account) -> None:
    gone = f"{PREFIX}:dataset/gone"
    request = dashboard_request(gone)

    account.client.create_dashboard(**request)

    (error,) = account.client.describe_dashboard(**where(request))["Dashboard"]["Version"]["Errors"]
    assert (error["Type"], error["Message"]) == ("DATA_SET_NOT_FOUND", f"data set 'scores': {gone} does not exist")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"ThemeArn": f"{PREFIX}:theme/gone"}, "ResourceNotFoundException", "theme/gone is not found"),
        ({"ValidationStrategy": {"Mode": "LENIENT"}}, "InvalidParameterValueException", "offers STRICT"),
        (
            {"LinkEntities": [f"{PREFIX}:analysis/gone"]},
            "InvalidParameterValueException",
            "analysis/gone is no analysis",
        ),
        (
            {"LinkSharingConfiguration": {}},
            "InvalidParameterValueException",
            "LinkSharingConfiguration: the local AWS does not offer this",
        ),
        (
            {"Permissions": [{"Principal": f"{PREFIX}:group/default/nobody", "Actions": DASHBOARD_VIEWER}]},
            "InvalidParameterValueException",
            "not valid QuickSight users",
        ),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_nothing_is_made(
    account: Account, data_set: str, changes: dict[str, Any], error: str, message: str
) -> None:
    request = dashboard_request(data_set, **changes)
    with pytest.raises(ClientError, match=message) as refusal:
        account.client.create_dashboard(**request)
    assert refusal.value.response["Error"]["Code"] == error
    with pytest.raises(account.client.exceptions.ResourceNotFoundException):
        account.client.describe_dashboard(**where(request))


def test_a_dashboard_without_definition_is_refused(account: Account, data_set: str) -> None:
    request = dashboard_request(data_set)
    del request["Definition"]
    with pytest.raises(ClientError, match="the local AWS has no templates"):
        account.client.create_dashboard(**request)


def test_everybody_in_the_namespace_may_be_granted_a_dashboard(account: Account, data_set: str) -> None:
    request = dashboard_request(data_set)
    account.client.create_dashboard(**request)
    everybody = {"Principal": f"{PREFIX}:namespace/default", "Actions": DASHBOARD_VIEWER}

    answer = account.client.update_dashboard_permissions(**where(request), GrantPermissions=[everybody])

    assert answer["Permissions"] == [everybody]


def test_an_analysis_is_made_changed_deleted_and_restored(account: Account, data_set: str) -> None:
    client, identity = account.client, unique("analysis")
    it = {"AwsAccountId": ACCOUNT, "AnalysisId": identity}
    client.create_analysis(**it, Name="Quality", Definition=definition(data_set), ThemeArn=CLASSIC)
    analysis = client.describe_analysis(**it)["Analysis"]
    assert (analysis["Status"], analysis["DataSetArns"]) == ("CREATION_SUCCESSFUL", [data_set])
    assert analysis["ThemeArn"] == CLASSIC
    assert client.describe_analysis_definition(**it)["Definition"] == definition(data_set)

    client.update_analysis(**it, Name="Quality still", Definition=broken(data_set))

    analysis = client.describe_analysis(**it)["Analysis"]
    assert (analysis["Name"], analysis["Status"]) == ("Quality still", "UPDATE_FAILED")
    assert analysis["Errors"][0]["Type"] == "COLUMN_REPLACEMENT_MISSING"
    assert "ThemeArn" not in analysis
    assert identity in [
        item["AnalysisId"] for item in client.list_analyses(AwsAccountId=ACCOUNT)["AnalysisSummaryList"]
    ]
    deleted = client.delete_analysis(**it, RecoveryWindowInDays=7)
    assert isinstance(deleted["DeletionTime"], datetime)
    assert client.describe_analysis(**it)["Analysis"]["Status"] == "DELETED"
    with pytest.raises(client.exceptions.ConflictException, match="restore it first"):
        client.update_analysis(**it, Name="a", Definition=definition(data_set))
    client.restore_analysis(**it)
    assert client.describe_analysis(**it)["Analysis"]["Status"] == "CREATION_FAILED"
    client.delete_analysis(**it, ForceDeleteWithoutRecovery=True)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_analysis(**it)


def test_a_dashboard_is_linked_to_an_analysis(account: Account, data_set: str) -> None:
    client, identity = account.client, unique("analysis")
    created = client.create_analysis(
        AwsAccountId=ACCOUNT, AnalysisId=identity, Name="a", Definition=definition(data_set)
    )
    request = dashboard_request(data_set, LinkEntities=[created["Arn"]])

    client.create_dashboard(**request)

    assert client.describe_dashboard(**where(request))["Dashboard"]["LinkEntities"] == [created["Arn"]]
    client.update_dashboard_links(**where(request), LinkEntities=[])
    assert client.describe_dashboard(**where(request))["Dashboard"]["LinkEntities"] == []
