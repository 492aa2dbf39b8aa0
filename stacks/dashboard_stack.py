"""Dashboard: the tables in QuickSight, as `stacks/dashboard` describes them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, CfnResource, CustomResource, Duration, Stack
from constructs import Construct

from stacks.analytics_stack import AnalyticsStack
from stacks.config import Readers, Task
from stacks.dashboard.dashboards import dashboards, data_sets
from stacks.dashboard.definition import definition
from stacks.dashboard.parts import Dashboard, DataSet
from stacks.dashboard.theme import THEME
from stacks.dashboard_source import DashboardSource
from stacks.encrypted_queue import DeadLetterQueue
from stacks.foundation import Foundation
from stacks.glue_function import GlueFunction

_READ_DATA_SET = [
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:PassDataSet",
    "quicksight:DescribeIngestion",
    "quicksight:ListIngestions",
]
_READ_DASHBOARD = ["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"]
_READ_THEME = [
    "quicksight:DescribeTheme",
    "quicksight:DescribeThemeAlias",
    "quicksight:ListThemeAliases",
    "quicksight:ListThemeVersions",
]
# QuickSight knows no reader of an analysis: whoever may see it may change it. The dashboard stays as deployed.
_EDIT_ANALYSIS = [
    "quicksight:DescribeAnalysis",
    "quicksight:DescribeAnalysisPermissions",
    "quicksight:QueryAnalysis",
    "quicksight:UpdateAnalysis",
    "quicksight:UpdateAnalysisPermissions",
    "quicksight:DeleteAnalysis",
    "quicksight:RestoreAnalysis",
]


def data_set_id(stage: str, data_set: DataSet) -> str:
    """The same in every deployment, so that `record_run` can have it refreshed."""
    return f"report-tuning-{stage}-{data_set.name.replace('_', '-')}"


def refreshed_data_sets(stage: str, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Ids of the data sets that QuickSight keeps a copy of, where these tasks are deployed."""
    deployed = (data_set for data_set, _ in data_sets(dashboards(tasks)))
    return tuple(data_set_id(stage, data_set) for data_set in deployed if not data_set.is_direct)


class DashboardStack(Stack):
    """Data source, data sets and theme, and for each kind of task an analysis and a dashboard, for one group of
    readers."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        foundation: Foundation,
        analytics: AnalyticsStack,
        readers: Readers,
    ) -> None:
        stage = foundation.stage
        super().__init__(
            scope,
            construct_id,
            env={"region": stage.region},
            description="Report tuning: dashboards",
            # Two definitions a dashboard: with line breaks they are more than the megabyte that a template may have.
            suppress_template_indentation=True,
        )
        self._stage = stage.name
        self._database = analytics.database_name
        # Users and groups live in the account's identity region, wherever the dashboard is.
        self._readers = (
            f"arn:{self.partition}:quicksight:{readers.identity_region}:{self.account}:group/"
            f"{readers.namespace}/{readers.group}"
        )
        ready = self._ready(foundation, readers)
        theme = self._resource("Theme", self._theme())
        theme.node.add_dependency(ready)
        by_kind = dashboards(foundation.tasks)
        resources = self._data_sets(by_kind, foundation, analytics, ready)
        for dashboard in by_kind.values():
            needed = [theme, *(resources[data_set.name] for data_set in dashboard.data_sets)]
            self._views(dashboard, needed)
        CfnOutput(
            self,
            "Dashboards",
            value=json.dumps({kind: self._view_id("Dashboard", one) for kind, one in by_kind.items()}),
            description="QuickSight dashboard of each kind of task",
        )

    def _ready(self, foundation: Foundation, readers: Readers) -> CustomResource:
        function = GlueFunction(
            self,
            "Ready",
            name="dashboard_ready",
            description="Says what the account lacks for a dashboard",
            environment={"STAGE": self._stage},
            key=foundation.key,
            timeout=Duration.minutes(1),
            dead_letters=DeadLetterQueue(self, "DeadLetters", key=foundation.key, alarms=foundation.alarms),
        )
        root = f"arn:{self.partition}:quicksight:{readers.identity_region}:{self.account}"
        function.allow(["quicksight:DescribeAccountSubscription"], [f"{root}:*"])
        function.allow(["quicksight:DescribeGroup"], [self._readers])
        ready = CustomResource(
            self,
            "IsReady",
            service_token=function.function_arn,
            resource_type="Custom::DashboardReady",
            properties={
                "Account": self.account,
                "Namespace": readers.namespace,
                "Group": readers.group,
                "IdentityRegion": readers.identity_region,
            },
        )
        # Its policy must be there before it is called.
        ready.node.add_dependency(function.role)
        return ready

    def _data_sets(
        self,
        by_kind: Mapping[str, Dashboard],
        foundation: Foundation,
        analytics: AnalyticsStack,
        ready: CustomResource,
    ) -> dict[str, CfnResource]:
        """Name -> the resource of each data set, once where several dashboards show it."""
        source = DashboardSource(
            self,
            "Tables",
            name=self._id("athena"),
            database=analytics.database_name,
            workgroup=analytics.workgroup_name,
            bucket=foundation.bucket,
            key=foundation.key,
            readers=self._readers,
        )
        source.resource.node.add_dependency(ready)
        resources = {}
        for data_set, dashboard in data_sets(by_kind):
            # Of the first dashboard that shows it: each dashboard gives its own.
            defaults = {parameter.name: parameter.default for parameter in dashboard.parameters}
            title = "".join(part.title() for part in data_set.name.split("_"))
            resource = self._resource("DataSet", self._data_set(data_set, source.arn, defaults), f"DataSet{title}")
            resource.node.add_dependency(source.resource)
            resources[data_set.name] = resource
            if not data_set.is_direct:
                schedule = self._resource("RefreshSchedule", self._schedule(data_set), f"Refresh{title}")
                schedule.node.add_dependency(resource)
        return resources

    def _data_set(self, data_set: DataSet, source_arn: str, defaults: dict[str, str]) -> dict[str, Any]:
        columns = [{"Name": column.name, "Type": column.kind.value} for column in data_set.columns]
        custom_sql = {
            "DataSourceArn": source_arn,
            "Name": data_set.name,
            "SqlQuery": data_set.query(self._database),
            "Columns": columns,
        }
        properties: dict[str, Any] = {
            "DataSetId": data_set_id(self._stage, data_set),
            "Name": f"Report tuning: {data_set.title}",
            "ImportMode": "DIRECT_QUERY" if data_set.is_direct else "SPICE",
            "PhysicalTableMap": {"query": {"CustomSql": custom_sql}},
            "Permissions": self._permissions(_READ_DATA_SET),
        }
        if data_set.is_direct:
            properties["DatasetParameters"] = [
                {
                    "StringDatasetParameter": {
                        "Id": f"parameter-{name}",
                        "Name": name,
                        "ValueType": "SINGLE_VALUED",
                        "DefaultValues": {"StaticValues": [defaults[name]]},
                    }
                }
                for name in data_set.parameters
            ]
        return properties

    def _schedule(self, data_set: DataSet) -> dict[str, Any]:
        """Once a day, in case the refresh after a run did not come to pass."""
        return {
            "DataSetId": data_set_id(self._stage, data_set),
            "Schedule": {
                "ScheduleId": "daily",
                "RefreshType": "FULL_REFRESH",
                "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": "05:00", "TimeZone": "UTC"},
            },
        }

    def _theme(self) -> dict[str, Any]:
        return {
            "ThemeId": self._id("theme"),
            "Name": "Report tuning",
            "BaseThemeId": "CLASSIC",
            "Configuration": THEME,
            "Permissions": self._permissions(_READ_THEME),
        }

    def _views(self, dashboard: Dashboard, needed: Sequence[CfnResource]) -> None:
        """The analysis and the dashboard: the same definition, to change and to read."""
        for kind, actions in (("Analysis", _EDIT_ANALYSIS), ("Dashboard", _READ_DASHBOARD)):
            name = "".join(part.title() for part in dashboard.prefix.split("-"))
            view = self._resource(kind, self._view(kind, dashboard, actions), f"{name}{kind}")
            for one in needed:
                view.node.add_dependency(one)

    def _view(self, kind: str, dashboard: Dashboard, actions: list[str]) -> dict[str, Any]:
        root = f"arn:{self.partition}:quicksight:{self.region}:{self.account}"
        arns = {one.name: f"{root}:dataset/{data_set_id(self._stage, one)}" for one in dashboard.data_sets}
        return {
            f"{kind}Id": self._view_id(kind, dashboard),
            "Name": f"{dashboard.title} ({self._stage})",
            "ThemeArn": f"{root}:theme/{self._id('theme')}",
            "Definition": definition(dashboard, arns),
            "Permissions": self._permissions(actions),
        }

    def _resource(self, kind: str, properties: dict[str, Any], construct_id: str | None = None) -> CfnResource:
        return CfnResource(
            self,
            construct_id or kind,
            type=f"AWS::QuickSight::{kind}",
            properties={"AwsAccountId": self.account, **properties},
        )

    def _permissions(self, actions: list[str]) -> list[dict[str, Any]]:
        return [{"Principal": self._readers, "Actions": actions}]

    def _view_id(self, kind: str, dashboard: Dashboard) -> str:
        return self._id(f"{dashboard.prefix}{kind.lower()}")

    def _id(self, what: str) -> str:
        return f"report-tuning-{self._stage}-{what}"
