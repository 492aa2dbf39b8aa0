"""What each type of step does. A new type is a function here and an entry in RUNNERS."""

import json
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.emulator.pipelines.conditions import all_hold
from local.emulator.pipelines.container import Stop
from local.emulator.pipelines.definition import Step
from local.emulator.pipelines.expressions import Scope, as_text, evaluate
from local.emulator.pipelines.failures import StepFailed, aws_call
from local.emulator.pipelines.job_requests import check_request, request_shape
from local.emulator.pipelines.processing import ProcessingJobs
from local.emulator.pipelines.training import TrainingJobs
from local.emulator.pipelines.tuning import TuningJobs

# The member with the job's name, and how long that may be.
_JOB_NAMES = {
    "Processing": ("ProcessingJobName", 63),
    "Training": ("TrainingJobName", 63),
    "Tuning": ("HyperParameterTuningJobName", 32),
}
_OUTPUT_TYPES = {"String": str, "Integer": int, "Float": int | float, "Boolean": bool}


@dataclass(frozen=True)
class Services:
    """What the steps of every execution share."""

    clients: Callable[[str], Any]
    register_model: Callable[[dict[str, Any]], str]
    processing_jobs: ProcessingJobs
    training_jobs: TrainingJobs
    tuning_jobs: TuningJobs


@dataclass(frozen=True)
class StepRun:
    """One attempt at one step. `show` publishes the step's Metadata as soon as there is something to see."""

    step: Step
    scope: Scope
    services: Services
    stop: Stop
    execution_id: str
    show: Callable[[dict[str, Any]], None]


Properties = dict[str, Any]


def run_processing(run: StepRun) -> Properties:
    return _run_job(run, run.services.processing_jobs, "ProcessingJob")


def run_training(run: StepRun) -> Properties:
    return _run_job(run, run.services.training_jobs, "TrainingJob")


def run_tuning(run: StepRun) -> Properties:
    return _run_job(run, run.services.tuning_jobs, "TuningJob")


def run_condition(run: StepRun) -> Properties:
    outcome = str(all_hold(run.step.body["Arguments"]["Conditions"], run.scope))
    run.show({"Condition": {"Outcome": outcome}})
    return {"Outcome": outcome}


def run_fail(run: StepRun) -> Properties:
    message = as_text(evaluate(run.step.body["Arguments"].get("ErrorMessage", ""), run.scope))
    run.show({"Fail": {"ErrorMessage": message}})
    raise StepFailed(message)


def run_register_model(run: StepRun) -> Properties:
    request = evaluate_arguments(run.step, run.scope)
    check_request("RegisterModel", request)
    with aws_call("CreateModelPackage"):
        arn = run.services.register_model(request)
    run.show({"RegisterModel": {"Arn": arn}})
    return {**request, "ModelPackageArn": arn}


def run_lambda(run: StepRun) -> Properties:
    function = run.step.body["FunctionArn"]
    payload = json.dumps(evaluate(run.step.body["Arguments"], run.scope)).encode("utf-8")
    with aws_call("Invoke"):
        response = run.services.clients("lambda").invoke(
            FunctionName=function, InvocationType="RequestResponse", Payload=payload
        )
        content = response["Payload"].read()
    answer = _parsed(content)
    if response.get("FunctionError"):
        error = answer if isinstance(answer, dict) else {}
        raise StepFailed(
            f"ClientError: Lambda function {function} failed with {error.get('errorType', 'an error')}: "
            f"{error.get('errorMessage', 'see its log')}"
        )
    outputs = _outputs(run.step, answer)
    shown = [{"Name": name, "Value": as_text(value)} for name, value in outputs.items()]
    run.show({"Lambda": {"Arn": function, "OutputParameters": shown}})
    return {"OutputParameters": outputs}


RUNNERS: Mapping[str, Callable[[StepRun], Properties]] = {
    "Processing": run_processing,
    "Training": run_training,
    "Tuning": run_tuning,
    "Condition": run_condition,
    "RegisterModel": run_register_model,
    "Lambda": run_lambda,
    "Fail": run_fail,
}


def evaluate_arguments(step: Step, scope: Scope) -> dict[str, Any]:
    """The request that a step of type Processing, Training, Tuning or RegisterModel makes, without its job's name."""
    arguments: dict[str, Any] = evaluate(step.body["Arguments"], scope, request_shape(step.type))
    return arguments


def _run_job(run: StepRun, jobs: ProcessingJobs | TrainingJobs | TuningJobs, metadata: str) -> Properties:
    name, (name_member, _) = _job_name(run), _JOB_NAMES[run.step.type]
    request = evaluate_arguments(run.step, replace(run.scope, job={name_member: name})) | {name_member: name}
    run.show({metadata: {"Arn": jobs.create(request)}})
    return jobs.run(name, run.stop)


def _job_name(run: StepRun) -> str:
    """As on AWS: pipelines-<execution id>-<step>-<10 characters>, at most 63 characters.

    A tuning job's name is shorter: <execution id>-<step, at most 8 characters>-<10 characters>. A pipeline authored
    with custom job prefixes has the prefix in the place of the step; it stands before the execution's id then.
    """
    member, limit = _JOB_NAMES[run.step.type]
    prefix = run.step.body["Arguments"].get(member)
    tail = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(10))
    if isinstance(prefix, str):
        head = prefix[: limit - len(run.execution_id) - 12]
        return f"{head}-{run.execution_id}-{tail}"
    # A job's name has no underscores, and no dash at the end of a part.
    kind, longest = ("", 8) if run.step.type == "Tuning" else ("pipelines-", 20)
    step = run.step.name.replace("_", "-")[:longest].strip("-") or "step"
    return f"{kind}{run.execution_id}-{step}-{tail}"


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:  # The error quotes the content, so it goes no further.
        return None


def _outputs(step: Step, answer: Any) -> dict[str, Any]:
    outputs = {}
    for declared in step.body.get("OutputParameters") or []:
        name, kind = declared["OutputName"], declared["OutputType"]
        value = answer.get(name) if isinstance(answer, dict) else None
        fits = isinstance(value, _OUTPUT_TYPES[kind]) and (kind == "Boolean" or not isinstance(value, bool))
        if not fits:
            raise StepFailed(f"ClientError: The Lambda function's answer lacks {name} of type {kind}")
        outputs[name] = value
    return outputs
