"""What GenerateExamples leaves behind, for those who look at it: every text with its fate, and counts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from training.errors import EvaluationError
from training.table_schemas import SYNTHETIC_EXAMPLES

EXAMPLES, REPORT = "examples.jsonl", "report.json"


@dataclass(frozen=True)
class SyntheticExamples:
    """The folder that the job wrote."""

    folder: Path

    def rows(self, started: datetime) -> Iterator[dict[str, Any]]:
        """Rows of the table `synthetic_examples`.

        Raises:
            EvaluationError: the file is missing, or a line is none that the job writes.
        """
        names = set(SYNTHETIC_EXAMPLES.column_names) - {"started_at"}
        try:
            with (self.folder / EXAMPLES).open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    row = json.loads(line)
                    if not isinstance(row, dict) or row.keys() != names:
                        raise EvaluationError(f"{EXAMPLES}, line {number}: not a generated example; run it again")
                    yield {"started_at": started, **row}
        except (OSError, ValueError) as error:
            raise EvaluationError(f"{EXAMPLES} of GenerateExamples cannot be read: {type(error).__name__}") from error

    @property
    def report(self) -> dict[str, Any]:
        """Counts and warnings.

        Raises:
            EvaluationError: it is missing, or no report.
        """
        try:
            report: dict[str, Any] = json.loads((self.folder / REPORT).read_text(encoding="utf-8"))
            _ = report["asked"], report["kept"], report["dropped"], report["warnings"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{REPORT} of GenerateExamples cannot be read: {type(error).__name__}") from error
        return report
