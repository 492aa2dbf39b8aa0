"""Invented CT reports with several findings, and impressions that name them in the order of their urgency.

    python -m local.invented.ct_reports FOLDER [--train 1200] [--evaluation 150] [--seed 1]

writes `train.jsonl` and `dev1.jsonl`, one report a line: findings, impression, patient, normal. The findings go through
the organs from top to bottom, so what is most urgent may stand anywhere; the impression names what is critical first,
then what is urgent, what is to be followed up, and what is incidental, each with what is advised ("CT chest in 3
months"), and leaves out what no reader needs. What is advised may depend on a size alone.

The sentences are this project's own. Nothing here is a fact about a patient, and no advice to anybody.
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.invented.ct_vocabulary import Finding, Region, regions
from local.invented.grammar import Choice, Parsed, Piece, join, sentence_case, write

# How many findings a report has, and how often of a hundred.
_COUNTS, _COUNT_WEIGHTS = (0, 1, 2, 3, 4, 5), (8, 16, 28, 26, 14, 8)
_SECOND_STUDY_SHARE = 0.2
# An organ of which nothing is wrong is not always mentioned.
_NORMAL_SENTENCE_SHARE = 0.75
# A report that was written before is written anew; so many times in vain means that there are no more.
_ATTEMPTS = 50


@dataclass(frozen=True)
class CtReport:
    """An invented report. `normal` is one without any finding that its impression names; `named` are the names of
    those that it does, in its order."""

    findings: str
    impression: str
    patient: str
    normal: bool
    named: tuple[str, ...]

    def as_upload(self) -> dict[str, str | bool]:
        """The record as a hospital would upload it."""
        return {name: value for name, value in asdict(self).items() if name != "named"}


class OutOfReportsError(ValueError):
    """More reports were asked for than can be told apart."""


def invented_ct_reports(count: int, seed: int) -> list[CtReport]:
    """Invent `count` reports, no two with the same findings.

    Raises:
        OutOfReportsError: no new report was found.
    """
    rng = random.Random(seed)
    reports: list[CtReport] = []
    seen: set[str] = set()
    patient = 0
    for place in range(count):
        patient += rng.random() >= _SECOND_STUDY_SHARE
        for attempt in range(_ATTEMPTS):
            report = _invent(f"invented-{seed}-{patient:05d}", random.Random(f"{seed}:{place}:{attempt}"))
            if report.findings.lower() not in seen:
                break
        else:
            raise OutOfReportsError(f"report {place}: {_ATTEMPTS} reports were all there already")
        seen.add(report.findings.lower())
        reports.append(report)
    return reports


@dataclass(frozen=True)
class _Found:
    """A finding of one report, with the words that stand in its slots."""

    finding: Finding
    words: dict[str, str]

    def say(self, templates: Sequence[Parsed], rng: random.Random) -> str:
        return _say(templates, self.words, rng)


def _invent(patient: str, rng: random.Random) -> CtReport:
    region = rng.choice(regions())
    found = _findings(region, rng)
    # A region lists its findings from the most urgent on.
    named = [one for one in sorted(found, key=lambda one: region.findings.index(one.finding)) if one.finding.impression]
    return CtReport(
        findings=_findings_text(region, found, rng),
        impression=_impression(region, named, rng),
        patient=patient,
        normal=not named,
        named=tuple(one.finding.name for one in named),
    )


def _findings(region: Region, rng: random.Random) -> list[_Found]:
    """Findings of different organs, so that no two contradict each other."""
    wanted = rng.choices(_COUNTS, _COUNT_WEIGHTS)[0]
    found: list[_Found] = []
    for finding in rng.sample(region.findings, len(region.findings)):
        if len(found) == wanted:
            break
        if finding.organ not in {one.finding.organ for one in found}:
            found.append(_Found(finding, _words(finding, rng)))
    return found


def _words(finding: Finding, rng: random.Random) -> dict[str, str]:
    words = {"side": rng.choice(("left", "right"))}
    if finding.places:
        words["place"] = rng.choice(finding.places)
    if finding.sizes:
        millimetres = rng.randint(*finding.sizes)
        words["size"] = f"{millimetres} mm" if millimetres < 10 else f"{millimetres / 10:.1f} cm"
    return words


def _findings_text(region: Region, found: Sequence[_Found], rng: random.Random) -> str:
    by_organ = {one.finding.organ: one for one in found}
    sentences = [_say(region.exam, {}, rng) + "."]
    for organ, normal in region.organs.items():
        if organ in by_organ:
            one = by_organ[organ]
            sentences.append(one.say(one.finding.findings, rng))
        elif rng.random() < _NORMAL_SENTENCE_SHARE:
            sentences.append(_say(normal, {}, rng))
    return " ".join(sentences)


def _impression(region: Region, named: Sequence[_Found], rng: random.Random) -> str:
    if not named:
        return _say(region.normal, {}, rng)
    points = [f"{one.say(one.finding.impression, rng)} {one.say(one.finding.advice, rng)}" for one in named]
    if len(points) == 1:
        return points[0]
    return " ".join(f"{number}. {point}" for number, point in enumerate(points, start=1))


def _say(templates: Sequence[Parsed], words: dict[str, str], rng: random.Random) -> str:
    def fill(slot: str) -> list[Piece]:
        return [Piece(words[slot])]

    def pick(choice: Choice) -> Parsed:
        return rng.choice(choice.options)

    return sentence_case(join(write(rng.choice(templates), fill, pick))[0])


def write_reports(file: Path, reports: Iterable[CtReport]) -> None:
    """Write JSON lines, as they are uploaded."""
    lines = (json.dumps(report.as_upload(), ensure_ascii=False) + "\n" for report in reports)
    file.write_text("".join(lines), encoding="utf-8")


def main(folder: Path, train: int, evaluation: int, seed: int) -> None:
    """Write both files; those of the second are of patients whom the first does not know."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count, own_seed in (("train.jsonl", train, seed), ("dev1.jsonl", evaluation, seed + 1)):
        write_reports(folder / name, invented_ct_reports(count, own_seed))
        print(f"{folder / name}: {count} invented reports")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local.invented.ct_reports", description="Invent CT reports")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=1200, help="reports to train on; default: %(default)s")
    parser.add_argument("--evaluation", type=int, default=150, help="reports to evaluate on; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    given = parser.parse_args()
    main(given.folder, given.train, given.evaluation, given.seed)
