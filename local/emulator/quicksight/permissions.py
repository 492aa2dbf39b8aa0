"""Who may do what with a resource: checked when it is granted, never enforced, since the local AWS has one caller.

QuickSight grants sets of actions, not single ones: a viewer's set or an owner's, as its developer guide lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.quicksight.identities import Identities
from local.emulator.quicksight.names import NAMESPACE, arn

Grant = Mapping[str, Any]
Operation = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    `noun` stands in its operations and members (`DataSet`: `CreateDataSet`, `DataSetId`), `word` in its ARNs.
    `viewer` and `owner` are the sets of actions that can be granted, without `quicksight:`; `extra` are actions that
    newer grants add to either set. `to_namespace` says whether everybody in a namespace can be granted them.
    """

    noun: str
    word: str
    viewer: frozenset[str]
    owner: frozenset[str]
    viewer_extra: frozenset[str] = frozenset()
    owner_extra: frozenset[str] = frozenset()
    to_namespace: bool = True

    def arn(self, identity: str) -> str:
        """The ARN of the resource with this id."""
        return arn(self.word, identity)

    def allows(self, actions: frozenset[str]) -> bool:
        """Whether these actions are a set that can be granted."""
        return actions in (self.viewer, self.viewer | self.viewer_extra, self.owner, self.owner | self.owner_extra)


_SOURCE_VIEWER = frozenset({"DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource"})
DATA_SOURCE = Kind(
    noun="DataSource",
    word="datasource",
    viewer=_SOURCE_VIEWER,
    owner=_SOURCE_VIEWER | {"UpdateDataSource", "DeleteDataSource", "UpdateDataSourcePermissions"},
    to_namespace=False,
)
_SET_VIEWER = frozenset(
    {"DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions"}
)
_SET_OWNER = _SET_VIEWER | {
    "UpdateDataSet",
    "DeleteDataSet",
    "CreateIngestion",
    "CancelIngestion",
    "UpdateDataSetPermissions",
}
_SCHEDULE_VIEWER = frozenset({"DescribeRefreshSchedule", "ListRefreshSchedules"})
_SCHEDULE_OWNER = _SCHEDULE_VIEWER | {
    "CreateRefreshSchedule",
    "UpdateRefreshSchedule",
    "DeleteRefreshSchedule",
    "PutDataSetRefreshProperties",
    "DescribeDataSetRefreshProperties",
    "DeleteDataSetRefreshProperties",
}
DATA_SET = Kind(
    noun="DataSet",
    word="dataset",
    viewer=_SET_VIEWER,
    owner=_SET_OWNER,
    viewer_extra=_SCHEDULE_VIEWER,
    owner_extra=_SCHEDULE_OWNER,
    to_namespace=False,
)
_THEME_VIEWER = frozenset({"DescribeTheme", "DescribeThemeAlias", "ListThemeAliases", "ListThemeVersions"})
THEME = Kind(
    noun="Theme",
    word="theme",
    viewer=_THEME_VIEWER,
    owner=_THEME_VIEWER
    | {
        "UpdateTheme",
        "DeleteTheme",
        "CreateThemeAlias",
        "UpdateThemeAlias",
        "DeleteThemeAlias",
        "UpdateThemePermissions",
        "DescribeThemePermissions",
    },
)
_ANALYSIS_OWNER = frozenset(
    {
        "DescribeAnalysis",
        "QueryAnalysis",
        "UpdateAnalysis",
        "DeleteAnalysis",
        "RestoreAnalysis",
        "DescribeAnalysisPermissions",
        "UpdateAnalysisPermissions",
    }
)
# An analysis is there to be edited: it has owners only.
ANALYSIS = Kind(noun="Analysis", word="analysis", viewer=_ANALYSIS_OWNER, owner=_ANALYSIS_OWNER)
_DASHBOARD_VIEWER = frozenset({"DescribeDashboard", "ListDashboardVersions", "QueryDashboard"})
DASHBOARD = Kind(
    noun="Dashboard",
    word="dashboard",
    viewer=_DASHBOARD_VIEWER,
    owner=_DASHBOARD_VIEWER
    | {
        "UpdateDashboard",
        "DeleteDashboard",
        "UpdateDashboardPublishedVersion",
        "DescribeDashboardPermissions",
        "UpdateDashboardPermissions",
    },
)


class Permissions:
    """What was granted, by ARN."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        # ARN -> principal -> actions.
        self._granted: dict[str, dict[str, list[str]]] = {}

    def check(self, kind: Kind, grants: Sequence[Grant]) -> None:
        """Check grants before anything is done with them.

        Raises:
            InvalidParameter: nobody has a principal's ARN, or a set of actions cannot be granted.
        """
        for grant in grants:
            principal = grant["Principal"]
            everybody = kind.to_namespace and principal == arn("namespace", NAMESPACE)
            if not everybody and not self._identities.is_group_or_user(principal):
                raise InvalidParameter(
                    f"One or more principals in resource permissions list are not valid QuickSight users: {principal}"
                )
            actions = grant["Actions"]
            if not kind.allows(frozenset(action.removeprefix("quicksight:") for action in actions)):
                raise InvalidParameter(
                    "ResourcePermission list contains unsupported permission sets for this resource."
                    f" Unsupported permission sets: [{', '.join(actions)}]; a {kind.word} is granted to viewers"
                    f" ({', '.join(sorted(kind.viewer))}) or owners ({', '.join(sorted(kind.owner))})"
                )

    def grant(self, resource: str, grants: Sequence[Grant]) -> None:
        """Add to what is granted. The grants are checked already."""
        granted = self._granted.setdefault(resource, {})
        for grant in grants:
            before = granted.get(grant["Principal"], [])
            granted[grant["Principal"]] = [*before, *(a for a in grant["Actions"] if a not in before)]

    def revoke(self, resource: str, grants: Sequence[Grant]) -> None:
        """Take from what is granted; what was not granted does nothing."""
        granted = self._granted.setdefault(resource, {})
        for grant in grants:
            left = [a for a in granted.pop(grant["Principal"], []) if a not in grant["Actions"]]
            if left:
                granted[grant["Principal"]] = left

    def of(self, resource: str) -> list[dict[str, Any]]:
        """What is granted on a resource."""
        granted = self._granted.get(resource, {})
        return [{"Principal": principal, "Actions": list(actions)} for principal, actions in granted.items()]

    def forget(self, resource: str) -> None:
        """A resource is gone; so is what was granted on it."""
        self._granted.pop(resource, None)
