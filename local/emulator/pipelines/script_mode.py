"""Script mode: what AWS's training images do between SageMaker and the user's script.

After the sagemaker-training toolkit 5.1 (environment.py, files.py, mapping.py, process.py): unpack the archive
`sagemaker_submit_directory` (on S3 or in a channel) to /opt/ml/code and run `python3 <sagemaker_program> --name value
...` there, hyperparameters decoded from JSON and in order of their names, with what the script may want to know in
`SM_*` variables.
"""

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.emulator.pipelines import processors
from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.job import Job
from training.archives import unpack

PROGRAM = "sagemaker_program"
SUBMIT_DIRECTORY = "sagemaker_submit_directory"
CODE = "/opt/ml/code"
_CHANNELS = "/opt/ml/input/data"
# SageMaker gives it to every job of a tuning job; the toolkit keeps it from the script.
TUNING_OBJECTIVE = "_tuning_objective_metric"
_OWN = "sagemaker_"
# What the toolkit would do with more than running a script; nothing is installed here.
_INSTALLED_FROM = ("requirements.txt", "setup.py")


def unpack_code(job: Job, hyperparameters: Mapping[str, str], *, isolated: bool) -> Path:
    """Unpack the submitted code to /opt/ml/code and return that folder.

    Raises:
        StepFailed: the archive is not there, is out of an `isolated` job's reach, is broken, holds names that leave
            the folder or what would have to be installed, or lacks the program.
    """
    code = job.folder.inside(CODE)
    code.mkdir(parents=True, exist_ok=True)
    submitted, program = decode(hyperparameters[SUBMIT_DIRECTORY]), decode(hyperparameters[PROGRAM])
    archive = _find_archive(job, submitted, isolated)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            unpack(tar, code)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise StepFailed(f"ClientError: {submitted} cannot be unpacked: {type(error).__name__}: {error}") from error
    installed = [name for name in _INSTALLED_FROM if (code / name).exists()]
    if installed:
        raise StepFailed(f"ClientError: {submitted} holds {', '.join(installed)}; the local SageMaker installs nothing")
    if not isinstance(program, str) or not program.endswith(".py") or not (code / program).is_file():
        raise StepFailed(f"ClientError: {PROGRAM} must name a .py file in {submitted}, got {program!r}")
    return code


def _find_archive(job: Job, submitted: Any, isolated: bool) -> Path:
    """The archive on the job's disk: fetched from S3, or in a channel."""
    if not isinstance(submitted, str):
        raise StepFailed(f"ClientError: {SUBMIT_DIRECTORY} must be an S3 URI or a path, got {submitted!r}")
    if submitted.startswith("s3://"):
        if isolated:
            # The toolkit runs in the container, which has neither network nor credentials then.
            raise StepFailed(
                f"AlgorithmError: {SUBMIT_DIRECTORY} is {submitted}, which a job with EnableNetworkIsolation cannot "
                f"reach: give the archive in a channel, as {_CHANNELS}/<channel>/<file>"
            )
        archive = job.folder.path / "sourcedir.tar.gz"
        job.s3.download_file(submitted, archive)
        return archive
    archive = job.folder.inside(submitted)
    if not archive.is_file():
        raise StepFailed(
            f"ClientError: {SUBMIT_DIRECTORY} is {submitted}, where no archive lies: give its channel, and the "
            "object's own file name in it"
        )
    return archive


def command(hyperparameters: Mapping[str, str]) -> list[str]:
    """`python3 program --name value ...`."""
    return ["python3", str(decode(hyperparameters[PROGRAM])), *_arguments(_user_hyperparameters(hyperparameters))]


def environment(hyperparameters: Mapping[str, str], configuration: Mapping[str, Any]) -> dict[str, str]:
    """The `SM_*` variables. `configuration`: the files below /opt/ml/input/config, by name without `.json`."""
    user = _user_hyperparameters(hyperparameters)
    program = str(decode(hyperparameters[PROGRAM]))
    host = configuration["resourceconfig"]
    channels = configuration["inputdataconfig"]
    values: dict[str, Any] = {
        "hosts": host["hosts"],
        "current_host": host["current_host"],
        "current_instance_type": host["current_instance_type"],
        "current_instance_group": host["current_group_name"],
        "network_interface_name": host["network_interface_name"],
        "resource_config": host,
        "input_data_config": channels,
        "channels": sorted(channels),
        "hps": user,
        "user_args": _arguments(user),
        "user_entry_point": program,
        "module_name": program.removesuffix(".py"),
        "module_dir": str(decode(hyperparameters[SUBMIT_DIRECTORY])),
        "log_level": decode(hyperparameters.get("sagemaker_container_log_level", "20")),
        "input_dir": "/opt/ml/input",
        "input_config_dir": "/opt/ml/input/config",
        "output_dir": "/opt/ml/output",
        "output_data_dir": "/opt/ml/output/data",
        "output_intermediate_dir": "/opt/ml/output/intermediate",
        "model_dir": "/opt/ml/model",
        "num_gpus": 0,
        "num_cpus": processors.count(),
    }
    values["training_env"] = dict(values)
    values |= {f"channel_{name}": f"/opt/ml/input/data/{name}" for name in channels}
    values |= {f"hp_{name}": value for name, value in user.items()}
    return {f"SM_{name.upper()}": _variable(value) for name, value in values.items()} | {"PYTHONPATH": CODE}


def decode(text: str) -> Any:
    """A hyperparameter as the toolkit reads it: JSON if it is JSON, else the text as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _user_hyperparameters(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: decode(text)
        for name, text in hyperparameters.items()
        if not name.startswith(_OWN) and name != TUNING_OBJECTIVE
    }


def _arguments(user: Mapping[str, Any]) -> list[str]:
    return [part for name in sorted(user) for part in (_option(name), _argument(user[name]))]


def _option(name: str) -> str:
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _argument(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
