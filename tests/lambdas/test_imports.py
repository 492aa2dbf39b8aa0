"""What a function's package must hold, and that importing a function does nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TABLES = ["training", "training.errors", "training.table_schemas", "training.tables"]


@pytest.mark.parametrize(
    ("function", "needed"),
    [
        ("start_training", ["pyarrow", *TABLES]),
        ("record_run", ["pyarrow", *TABLES]),
        ("classify_texts", ["pyarrow", *TABLES]),
        ("record_review", ["pyarrow", *TABLES]),
        ("read_incoming", ["training", "training.csv_rows", "training.records", "training.text_lines"]),
        ("roll_out", []),
    ],
)
def test_a_handler_needs_only_what_its_package_holds(function: str, needed: list[str]) -> None:
    program = (
        f"import sys, lambdas.{function}.handler\n"
        "ours = ('training', 'stacks', 'local', 'sagemaker', 'aws_cdk')\n"
        "print(*sorted(m for m in sys.modules if m == 'pyarrow' or m.partition('.')[0] in ours))"
    )
    # Without any environment: neither settings nor clients may be made at import.
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env={}, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == needed
