"""Compile the lists of exact versions from the .in files beside them.

    python -m local.lock

What is left out of a list comes from elsewhere: torch's right build depends on the machine (requirements-torch.txt),
and the environment with AWS's container software sees the project's own packages.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from local.paths import PYTHON, REPOSITORY

_LEFT_OUT = {
    "requirements": ("torch",),
    "local/requirements": (),
    "local/requirements-images": (
        *("torch", "transformers", "huggingface-hub", "numpy", "scipy", "scikit-learn", "pillow"),
        # Needed by kinds of models that are not served here.
        *("diffusers", "sentence-transformers", "librosa", "phonemizer", "pyctcdecode", "soundfile"),
    ),
}


def main() -> None:
    # Wheels on this machine would be written into the list as if everybody had them.
    environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
    for name, left_out in _LEFT_OUT.items():
        with tempfile.TemporaryDirectory() as folder:
            overrides = Path(folder) / "overrides.txt"
            overrides.write_text("".join(f"{package} ; python_version < '3'\n" for package in left_out), "utf-8")
            command = [str(PYTHON.parent / "uv"), "pip", "compile", "--quiet", "--universal", "--no-header"]
            command += ["--python-version", "3.11", "--override", str(overrides), f"{name}.in", "-o", f"{name}.txt"]
            subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
        print(f"{name}.txt is compiled from {name}.in")


if __name__ == "__main__":
    main()
