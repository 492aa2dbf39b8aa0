"""Let one candidate, a further way to answer the evaluation sets, answer them; or say why it does not.

    python3 -m training.answer_candidate --name N --kind KIND --train DIR --evaluation DIR --output DIR --seed 1 ...

What the kinds take:

    foundation   --model DIR | --model-id ID [--revision COMMIT] | --endpoint NAME, with --prompt and --max-new-tokens
    bedrock      --model-id ID, with --prompt and --max-new-tokens
    fine_tuned   --model DIR: a model directory of this project or an archive of it
    custom       --handler DIR (training/candidates/handler.py) | --endpoint NAME

Reads Prepare's train split (for the examples of a prompt, and nothing else) and its evaluation sets; uses the network
for a model of the hub, Bedrock and endpoints. Writes what training/candidates/report.py says, and the arguments to
`<output>/arguments.json`.

A candidate fails alone. It is asked in a process of its own (training/candidates/ask.py): whatever raises, is killed or
exits there, this one writes down what had been answered and why no more was, and succeeds. Only where its own
inputs are wrong does the job fail.
"""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

from training.candidates.arguments import CandidateArguments, ChildArguments
from training.candidates.asked_records import AskedRecords
from training.candidates.journal import read_journal
from training.candidates.report import write_report
from training.errors import ArgumentError
from training.job import argument_list, run_job, save_arguments

IMPORT_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Arguments(CandidateArguments):
    """`max_seconds` is for the whole of it, loading included: less than the job itself has, so that a candidate which
    takes too long, or hangs, ends before the job would fail. None means no limit."""

    max_seconds: float | None = None
    message_file: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise ArgumentError(f"max_seconds must be above 0, got {self.max_seconds}")


def main(arguments: Arguments) -> None:
    """Ask in another process, and report.

    Raises:
        EvaluationError: there is no evaluation set.
        UploadError: a line of one is not a record.
    """
    asked = AskedRecords(arguments.evaluation, arguments.max_records, arguments.seed)
    save_arguments(arguments, arguments.output / "arguments.json")
    # A program that a handler left running may still write there: no reason to lose the answers.
    with tempfile.TemporaryDirectory(prefix="candidate-", ignore_cleanup_errors=True) as scratch:
        journal = Path(scratch) / "journal.jsonl"
        journal.touch()
        said = read_journal(journal, _ended(arguments, journal))
    report = write_report(arguments, asked, said)
    took = f"{report['answered']} records in {report['seconds']:.1f} s"
    print(f"{arguments.name}: {report['status']}, {took}", *filter(None, [report["reason"]]), sep="; ", flush=True)


def _ended(arguments: Arguments, journal: Path) -> str:
    """Let another process ask; how that ended, for the case that its journal does not say."""
    paths = [str(IMPORT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    # So that nothing of it is left behind, however it ends.
    places = {"PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(journal.parent)}
    own = {field.name: getattr(arguments, field.name) for field in fields(CandidateArguments)}
    command = [sys.executable, "-m", "training.candidates.ask", *argument_list(ChildArguments(**own, journal=journal))]
    try:
        status = subprocess.run(
            command, env={**os.environ, **places}, timeout=arguments.max_seconds, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return f"it was not done after {arguments.max_seconds:g} seconds (max_seconds)"
    if status == -signal.SIGKILL:
        return f"its process was killed (signal {-status}), which is mostly for want of memory"
    if status < 0:
        return f"its process was killed (signal {-status})"
    return f"its process ended with exit status {status} before it was done"


if __name__ == "__main__":
    run_job(Arguments, main)
