"""One process a GPU: a script that sees several GPUs or hosts starts itself again under torchrun.

Nothing outside the script has to know: it works the same however SageMaker starts it, with or without the
`sagemaker_torch_distributed_enabled` hyperparameter (under torchrun already, it is left as it is).
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence

MASTER_PORT = 7777


def torchrun_command(
    environment: Mapping[str, str], module: str, arguments: Sequence[str], processes: int
) -> list[str] | None:
    """The command that starts `processes` copies of `module` on this host; None where this process is enough.

    `environment` is read for torchrun's own LOCAL_RANK and for SageMaker's SM_HOSTS and SM_CURRENT_HOST.
    """
    hosts = sorted(json.loads(environment.get("SM_HOSTS", "[]")))
    if "LOCAL_RANK" in environment or (processes <= 1 and len(hosts) <= 1):
        return None
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    if len(hosts) > 1:
        command += [
            f"--nnodes={len(hosts)}",
            f"--node-rank={hosts.index(environment['SM_CURRENT_HOST'])}",
            f"--master-addr={hosts[0]}",
            f"--master-port={MASTER_PORT}",
        ]
    else:
        command += ["--standalone"]  # a free port of its own, so that two trainings on one machine do not meet
    return [*command, "-m", module, *arguments]


def become(command: Sequence[str], import_root: str) -> None:
    """Replace this process by `command`, so that signals and the exit status are torchrun's own."""
    paths = [import_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    sys.stdout.flush()
    os.execv(command[0], list(command))
