"""What is left of a process that asked, however it ended."""

from pathlib import Path

from training.candidates.journal import Journal, read_journal
from training.candidates.outcomes import Unanswered
from training.candidates.prices import Usage
from training.splits import Record

RECORDS = [Record("a", "one", "1"), Record("b", "two", "2")]


def written(path: Path, *, end: bool) -> Path:
    with path.open("w", encoding="utf-8") as file:
        journal = Journal(file)
        journal.call("dev1", RECORDS, ["A line\nbreak.", Unanswered("a filter", lasting=True)], Usage(1.5, 10, 2))
        journal.call("dev2", RECORDS[:1], ["Ünd."], Usage(0.5, 5, 1))
        if end:
            journal.end(None)
    return path


def test_outcomes_and_what_they_took_are_read_back(tmp_path: Path) -> None:
    said = read_journal(written(tmp_path / "journal", end=True), "killed")
    assert said.ended is None and said.usage == Usage(2.0, 15, 3)
    assert said.outcomes == {"dev1": {"a": "A line\nbreak.", "b": Unanswered("a filter")}, "dev2": {"a": "Ünd."}}


def test_without_a_last_line_it_ended_otherwise(tmp_path: Path) -> None:
    assert read_journal(written(tmp_path / "journal", end=False), "killed").ended == "killed"


def test_a_line_may_be_cut_off_within_a_character(tmp_path: Path) -> None:
    path = written(tmp_path / "journal", end=False)
    content = path.read_bytes()
    path.write_bytes(content[: content.index("Ü".encode()) + 1])
    assert list(read_journal(path, "killed").outcomes) == ["dev1"]


def test_a_line_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path / "journal", end=False)
    path.write_bytes(path.read_bytes()[:-9])
    said = read_journal(path, "killed")
    assert said.ended == "killed" and list(said.outcomes) == ["dev1"] and said.usage == Usage(1.5, 10, 2)
