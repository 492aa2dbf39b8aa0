"""What a job or endpoint process is told by its environment, besides what its own request says."""

import os
from collections.abc import Mapping
from pathlib import Path

from local.emulator.containers import substitute_paths

ACCOUNT = "000000000000"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# What a process needs to run at all; everything else of the emulator's environment stays outside.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "OMP_NUM_THREADS")


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """What makes boto3, the AWS CLI and the CDK CLI talk to the local AWS and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def job_environment(endpoint_url: str, root: Path, container: Mapping[str, str]) -> dict[str, str]:
    """The complete environment of a job or endpoint process.

    `container` is the environment that the request gives the container; paths below `/opt/ml` in its values become
    paths below `root`. It wins over what every process gets.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    given = {name: substitute_paths(value, root) for name, value in container.items()}
    return {**inherited, "PYTHONUNBUFFERED": "1", **aws_environment(endpoint_url), **given}
