"""Compile the lists of exact versions from requirements.in and local/requirements.in.

    python -m local.lock

torch is left out of requirements.txt: which build is right depends on the machine (requirements-torch.txt).
"""

import os
import subprocess
import tempfile
from pathlib import Path

from local.paths import PYTHON, REPOSITORY

_LISTS = ("requirements", "local/requirements")


def main() -> None:
    # Wheels on this machine would be written into the list as if everybody had them.
    environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
    with tempfile.TemporaryDirectory() as folder:
        without_torch = Path(folder) / "override.txt"
        without_torch.write_text("torch ; python_version < '3'\n", encoding="utf-8")
        for name in _LISTS:
            command = [str(PYTHON.parent / "uv"), "pip", "compile", "--quiet", "--universal", "--no-header"]
            command += ["--python-version", "3.11", "--override", str(without_torch), f"{name}.in", "-o", f"{name}.txt"]
            subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
            print(f"{name}.txt is compiled from {name}.in")


if __name__ == "__main__":
    main()
