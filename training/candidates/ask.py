"""The process that asks a candidate: started by training/answer_candidate.py, which says what the arguments mean.

    python3 -m training.candidates.ask --journal FILE ... (the arguments of training.answer_candidate)

It may fail in every way, be killed, or be ended by somebody's code: what it has written into the journal by then counts
(training/candidates/journal.py). It uses the journal's folder for what it fetches.
"""

from collections.abc import Callable
from pathlib import Path

from training.candidates.arguments import CandidateArguments, ChildArguments
from training.candidates.asked_records import AskedRecords
from training.candidates.asking import Asking
from training.candidates.journal import Journal
from training.candidates.loading import load_asker
from training.candidates.outcomes import Asker
from training.candidates.prompts import CandidatePrompt, draw_examples
from training.errors import ReportTuningError
from training.job import run_job


def main(arguments: ChildArguments, load: Callable[[CandidateArguments, Path], Asker] = load_asker) -> None:
    """Ask, and write down why it ended. `load` makes what is asked."""
    with arguments.journal.open("a", encoding="utf-8") as file:
        journal = Journal(file)
        try:
            journal.end(_ask(arguments, load, journal))
        except ReportTuningError as error:
            journal.end(str(error))
        except Exception as error:
            journal.end(f"asking it failed unexpectedly with {type(error).__name__}; see the job's log")
            raise


def _ask(arguments: ChildArguments, load: Callable[[CandidateArguments, Path], Asker], journal: Journal) -> str | None:
    prompt = None
    if arguments.prompt is not None:
        shown = draw_examples(arguments.train, arguments.examples, arguments.seed)
        prompt = CandidatePrompt(arguments.prompt, arguments.example, shown)
    asker = load(arguments, arguments.journal.parent)
    asking = Asking(asker, prompt, arguments.prices, arguments.max_dollars, journal)
    return asking.run(AskedRecords(arguments.evaluation, arguments.max_records, arguments.seed))


if __name__ == "__main__":
    run_job(ChildArguments, main)
