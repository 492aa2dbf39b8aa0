"""Words and templates of invented CT reports, read from `local/invented/ct/*.yaml` and checked."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.invented.grammar import Parsed, parse, slots

FOLDER = Path(__file__).parent / "ct"

# The most critical first: the order in which an impression names findings. What is unreported it leaves out.
URGENCIES = ("critical", "urgent", "follow-up", "incidental", "unreported")


class CtVocabularyError(ValueError):
    """A file of words does not hold what it should; the message says which and what."""


@dataclass(frozen=True)
class Finding:
    """Something that may be found, in the words of the findings, of the impression, and what is advised then.

    `place` is one of `places`, `size` a number of millimetres between the two of `sizes`. An unreported finding has
    neither impression nor advice.
    """

    name: str
    organ: str
    urgency: str
    places: tuple[str, ...]
    sizes: tuple[int, int] | None
    findings: tuple[Parsed, ...]
    impression: tuple[Parsed, ...]
    advice: tuple[Parsed, ...]


@dataclass(frozen=True)
class Region:
    """A part of the body: how the examination is called, its organs in the order of a report, and their findings.

    `organs` maps an organ to what is said of it when nothing is wrong; `normal` is the impression when nothing is
    reported. `findings` are in the order in which an impression names those of one urgency.
    """

    name: str
    exam: tuple[Parsed, ...]
    normal: tuple[Parsed, ...]
    organs: dict[str, tuple[Parsed, ...]]
    findings: tuple[Finding, ...]


@cache
def regions() -> tuple[Region, ...]:
    """Read every file.

    Raises:
        CtVocabularyError: a finding is of no organ or no urgency, or a template has a slot that nothing fills.
        TemplateError: a template cannot be read.
    """
    return tuple(_region(file) for file in sorted(FOLDER.glob("*.yaml")))


def _region(file: Path) -> Region:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    organs = {name: _templates(options) for name, options in content["organs"].items()}
    findings = [_finding(name, entry) for name, entry in content["findings"].items()]
    for finding in findings:
        _check(finding, set(organs), file)
    # Python's sort keeps the file's order within an urgency.
    findings.sort(key=lambda finding: URGENCIES.index(finding.urgency))
    return Region(file.stem, _templates(content["exam"]), _templates(content["normal"]), organs, tuple(findings))


def _finding(name: str, entry: dict[str, Any]) -> Finding:
    sizes = entry.get("sizes")
    return Finding(
        name=name,
        organ=entry["organ"],
        urgency=entry["urgency"],
        places=tuple(entry.get("places", ())),
        sizes=(sizes[0], sizes[1]) if sizes else None,
        findings=_templates(entry["findings"]),
        impression=_templates(entry.get("impression", ())),
        advice=_templates(entry.get("advice", ())),
    )


def _templates(options: Any) -> tuple[Parsed, ...]:
    return tuple(parse(str(option)) for option in options)


def _check(finding: Finding, organs: set[str], file: Path) -> None:
    where = f"{file.name}: {finding.name}"
    if finding.organ not in organs:
        raise CtVocabularyError(f"{where}: organ {finding.organ!r} is none of the region's")
    if finding.urgency not in URGENCIES:
        raise CtVocabularyError(f"{where}: urgency must be one of {', '.join(URGENCIES)}, got {finding.urgency!r}")
    if (finding.urgency == "unreported") == bool(finding.impression and finding.advice):
        raise CtVocabularyError(f"{where}: impression and advice belong to what is reported, and only to that")
    filled = {"side"} | ({"place"} if finding.places else set()) | ({"size"} if finding.sizes else set())
    named = {name for options in (finding.findings, finding.impression) for one in options for name in slots(one)}
    if not named <= filled:
        raise CtVocabularyError(f"{where}: nothing fills {sorted(named - filled)}")
    # Whatever an impression says must be read in every way of telling the finding.
    told = {name for one in finding.impression for name in slots(one)}
    for one in finding.findings:
        if finding.impression and not told <= set(slots(one)):
            raise CtVocabularyError(f"{where}: its findings do not tell {sorted(told - set(slots(one)))}")
