"""What the jobs of a run left behind: Prepare's report and the evaluation.

Where they lie is asked of the jobs themselves. A step whose result was cached names the job of the earlier run, whose
outputs lie in that run's folder.
"""

import json
from typing import Any

from botocore.exceptions import ClientError

from lambdas.errors import ResultError
from lambdas.names import split_s3_uri
from lambdas.record_run.execution import Step

# Step, name of its output, file in it.
REPORT = ("Prepare", "report", "report.json")
EVALUATION = ("Evaluate", "evaluation", "evaluation.json")


def read_result(sagemaker: Any, s3: Any, step: Step | None, output: str, file: str) -> dict[str, Any] | None:
    """The JSON object in `file` of the step's processing job; None if the step or the file was not reached.

    Raises:
        ResultError: the file is not a JSON object.
    """
    arn = step.arn("ProcessingJob") if step is not None else None
    if arn is None:
        return None
    name = arn.rpartition("/")[2]
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    for described in job["ProcessingOutputConfig"]["Outputs"]:
        if described["OutputName"] == output:
            bucket, prefix = split_s3_uri(described["S3Output"]["S3Uri"])
            return _read_object(s3, bucket, f"{prefix.rstrip('/')}/{file}")
    raise ResultError(f"processing job {name} has no output {output!r}")


def _read_object(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    try:
        value = json.loads(body)
    except ValueError as error:
        raise ResultError(f"{key} is not JSON") from error
    if not isinstance(value, dict):
        raise ResultError(f"{key} is not a JSON object")
    return value
