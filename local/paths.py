"""Where things lie in a checkout."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# The task files that ship.
TASKS = REPOSITORY / "tasks"
# Everything that the local commands leave behind; `make clean` takes it away.
STATE = REPOSITORY / ".local"
PYTHON = REPOSITORY / ".venv" / "bin" / "python"
EMULATOR_PYTHON = REPOSITORY / ".venv-emulator" / "bin" / "python"
CDK = REPOSITORY / "node_modules" / "aws-cdk" / "bin" / "cdk"
