"""Pipelines and their executions in memory, with the model packages that the champion is chosen from."""

from datetime import datetime
from typing import Any

from tests.lambdas.aws_in_memory import Refused
from tests.lambdas.fake_registry import FakeRegistry

ARN = "arn:aws:sagemaker:eu-central-1:123456789012:pipeline"
GROUP = "dev-radiology-impressions"


class FakePipelines(FakeRegistry):
    """`now` is SageMaker's clock; the test moves it."""

    def __init__(self, now: datetime) -> None:
        super().__init__(GROUP)
        self.now = now
        self.executions: list[dict[str, Any]] = []  # oldest first
        self.failing_starts = 0
        self.lost_answers = 0
        self.most_executing = 0

    def of(self, pipeline: str) -> list[dict[str, Any]]:
        return [execution for execution in self.executions if execution["pipeline"] == pipeline]

    def end(self, execution: dict[str, Any], status: str = "Succeeded") -> None:
        execution |= {"status": status, "ended": self.now}

    def start_pipeline_execution(
        self,
        PipelineName: str,
        PipelineParameters: list[dict[str, str]],
        ClientRequestToken: str,
        PipelineExecutionDisplayName: str,
    ) -> dict[str, Any]:
        if self.failing_starts:
            self.failing_starts -= 1
            raise Refused("ThrottlingException", "Rate exceeded")
        for execution in self.executions:
            if execution["token"] == ClientRequestToken:
                return {"PipelineExecutionArn": execution["arn"]}
        arn = f"{ARN}/{PipelineName}/execution/e{len(self.executions):04d}"
        self.executions.append(
            {
                "arn": arn,
                "pipeline": PipelineName,
                "status": "Executing",
                "started": self.now,
                "ended": None,
                "token": ClientRequestToken,
                "display": PipelineExecutionDisplayName,
                "parameters": {item["Name"]: item["Value"] for item in PipelineParameters},
            }
        )
        executing = [item for item in self.of(PipelineName) if item["status"] == "Executing"]
        self.most_executing = max(self.most_executing, len(executing))
        if self.lost_answers:
            self.lost_answers -= 1
            raise Refused("InternalFailure", "The answer got lost")
        return {"PipelineExecutionArn": arn}

    def list_pipeline_executions(
        self, PipelineName: str, SortBy: str, SortOrder: str, MaxResults: int
    ) -> dict[str, Any]:
        assert (SortBy, SortOrder) == ("CreationTime", "Descending")
        return {
            "PipelineExecutionSummaries": [
                {
                    "PipelineExecutionArn": execution["arn"],
                    "PipelineExecutionStatus": execution["status"],
                    "StartTime": execution["started"],
                    "PipelineExecutionDisplayName": execution["display"],
                }
                for execution in reversed(self.of(PipelineName))
            ][:MaxResults]
        }

    def describe_pipeline_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        execution = self._find(PipelineExecutionArn)
        return {
            "PipelineExecutionStatus": execution["status"],
            "CreationTime": execution["started"],
            "LastModifiedTime": execution["ended"] or execution["started"],
        }

    def list_pipeline_parameters_for_execution(self, PipelineExecutionArn: str, NextToken: str = "0") -> dict[str, Any]:
        # One a page, so that a reader who stops at the first page is found out.
        parameters = sorted(self._find(PipelineExecutionArn)["parameters"].items())
        start = int(NextToken)
        answer: dict[str, Any] = {
            "PipelineParameters": [{"Name": n, "Value": v} for n, v in parameters[start : start + 1]]
        }
        if parameters[start + 1 :]:
            answer["NextToken"] = str(start + 1)
        return answer

    def _find(self, arn: str) -> dict[str, Any]:
        return next(execution for execution in self.executions if execution["arn"] == arn)
