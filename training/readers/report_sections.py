"""Findings and impression of a free-text radiology report, as MIMIC-CXR has them.

Which headings there are, and what they mean, follows the section parser that the database's authors publish
(github.com/MIT-LCP/mimic-cxr, `txt/section_parser.py`): headings in capitals at the start of a line, CONCLUSION as
an impression, the name of a view (CHEST, TWO VIEWS) as findings, the last impression where there are several,
misspelt headings. Unlike it, this one also knows headings in other cases and inside a line, keeps LUNGS: or HEART: as
part of the findings, keeps wet reads and addenda apart from the report itself, and tells FINDINGS AND IMPRESSION in
one section (nothing can be learnt from it: there are no findings to answer from) from an impression.
"""

import difflib
import functools
import re
from dataclasses import dataclass

FINDINGS, VIEW, IMPRESSION, BOTH, OTHER, INSIDE = "findings", "view", "impression", "both", "other", "inside"

NO_FINDINGS, NO_IMPRESSION = "no findings section", "no impression section"
ONE_SECTION = "findings and impression are one section"

# What is no section of the report itself: the first look of a night shift, and later additions.
_REPORT, _PRELIMINARY, _ADDENDUM = "report", "preliminary", "addendum"
_PARTS = {
    "wet read": _PRELIMINARY, "wetread": _PRELIMINARY, "preliminary": _PRELIMINARY, "provisional": _PRELIMINARY,
    "pfi": _PRELIMINARY, "addendum": _ADDENDUM, "final report": _REPORT,
}  # fmt: skip

_NAMES = {
    "findings": FINDINGS, "finding": FINDINGS,
    "impression": IMPRESSION, "impressions": IMPRESSION, "conclusion": IMPRESSION, "conclusions": IMPRESSION,
    "findings and impression": BOTH, "findings/impression": BOTH, "impression/findings": BOTH,
    **dict.fromkeys((
        "comparison", "comparisons", "comparison exam", "comparison film", "reference exam", "indication",
        "clinical indication", "clinical information", "reason for exam", "reason for examination", "history",
        "clinical history", "patient history", "technique", "examination", "exam", "type of examination", "study",
        "procedure", "notification", "recommendation", "recommendations", "recommendation(s)", "comment", "date",
    ), OTHER),
}  # fmt: skip

_VIEW = re.compile(
    r"chest|portable|radiograph|\b(?:pa|ap|frontal|lateral) (?:and|upright|semi)|\bviews?\b|bone window|\bribs\b"
)
# Headings inside the findings: structured reports have one an organ or device.
_ORGAN = re.compile(
    r"lung|heart|cardi|mediastin|pleura|bone|osseous|skelet|line|tube|device|hardware|support|airway|trachea|hil|"
    r"aort|diaphragm|abdom|soft tissue|vascul|spine|thora|other|upper|lower|right|left|catheter|drain|picc|\bngt|"
    r"\bett|stomach|neck|effusion|pneumo|edema|\d"
)
_FUZZY_CUTOFF = 0.85

# A heading begins a line: anything in capitals, or a known name in any case. A colon ends it; a chief name on a line of
# its own needs none.
_CHIEF = (
    r"FINDINGS?(?: ?(?:AND|/|&) ?IMPRESSIONS?)?|IMPRESSIONS?(?: ?(?:AND|/|&) ?(?:FINDINGS|RECOMMENDATIONS?))?"
    r"|CONCLUSIONS?"
)
_KNOWN = "|".join(re.escape(name) for name in sorted({*_NAMES, *_PARTS}, key=len, reverse=True))
_HEADING = re.compile(
    r"[ \t]*(?:"
    r"(?P<title>FINAL REPORT|FINAL ADDENDUM|WET READ(?: VERSION)?[^:]*|ADDENDUM)\b[ \t]*:?"
    rf"|(?P<start>[A-Z][A-Z0-9 ()/,&'-]{{0,79}}?|(?i:{_KNOWN}))[ \t]*:(?=\s|$)"
    rf"|(?P<alone>{_CHIEF})[ \t]*-{{0,2}}[ \t]*$"
    r"|(?P<rule>_{10,})[ \t]*$)"
)
# The chief names in capitals and with a colon also begin a section inside a line.
_INLINE = re.compile(
    rf"(?:{_CHIEF}|COMPARISONS?|INDICATION|TECHNIQUE|NOTIFICATION|RECOMMENDATION(?:S|\(S\))?|ADDENDUM)[ \t]*:(?=\s|$)"
)


_NONE: tuple[str | None, str] = (None, INSIDE)


@dataclass(frozen=True, slots=True)
class Section:
    """One section: which part of the document it is in, what it is, and its text with single spaces."""

    part: str
    kind: str
    text: str


def findings_and_impression(report: str) -> tuple[str, str] | str:
    """The two texts, or why there are not two: `NO_FINDINGS`, `NO_IMPRESSION` or `ONE_SECTION`.

    Of several impressions the last counts (an earlier one was revised), with the findings that stand before it.
    An addendum's impression counts only where the report itself has none; a wet read's never does.
    """
    every = sections(report)
    for part in (_REPORT, _ADDENDUM):
        impressions = [i for i, s in enumerate(every) if s.kind == IMPRESSION and s.part == part]
        if impressions:
            findings = _findings(every, before=impressions[-1])
            return (findings, every[impressions[-1]].text) if findings else _without_findings(every)
    if any(s.kind == BOTH for s in every):
        return ONE_SECTION
    return NO_IMPRESSION


def _findings(every: list[Section], before: int) -> str | None:
    for kind in (FINDINGS, VIEW):
        texts = [(i, s.text) for i, s in enumerate(every) if s.kind == kind and s.part == _REPORT]
        earlier = [text for i, text in texts if i < before]
        if earlier:
            return earlier[-1]
        if texts:
            return texts[0][1]
    return None


def _without_findings(every: list[Section]) -> str:
    return ONE_SECTION if any(s.kind == BOTH for s in every) else NO_FINDINGS


def sections(report: str) -> list[Section]:
    """The sections of a report that have any text, in order."""
    found: list[Section] = []
    part, kind, lines = _REPORT, OTHER, [""]

    def close() -> None:
        if text := " ".join(" ".join(lines).split()):
            found.append(Section(part, kind, text))

    for line in _INLINE.sub(_on_its_own_line, report).splitlines():
        heading = _HEADING.match(line)
        next_part, next_kind = _classify(heading.lastgroup or "", heading[heading.lastgroup or 0]) if heading else _NONE
        if heading is None or next_kind == INSIDE:
            lines.append(line)
            continue
        close()
        part, kind, lines = next_part or part, next_kind, [line[heading.end() :]]
    close()
    return found


def _on_its_own_line(heading: re.Match[str]) -> str:
    """The heading on a new line, where it follows a sentence and is not the end of a longer one (CHEST FINDINGS:)."""
    before = heading.string[: heading.start()].rpartition("\n")[2]
    words = before.rstrip()
    new = words != before and words and (words[-1] in ".:;" or not words.isupper())
    return f"\n{heading[0]}" if new else heading[0]


@functools.lru_cache(maxsize=4096)
def _classify(group: str, name: str) -> tuple[str | None, str]:
    """(part that begins here or None, kind of section) of a heading; INSIDE when it is none."""
    if group == "rule":
        return _REPORT, OTHER
    plain = " ".join(name.lower().replace("&", "and").split()).replace(" /", "/").replace("/ ", "/")
    part = next((part for word, part in _PARTS.items() if word in plain), None)
    if group == "title":
        return part, OTHER
    if plain in _NAMES:
        return None, _NAMES[plain]
    if part is not None:
        return part, OTHER
    if "impression" in plain:
        return None, BOTH if "finding" in plain else IMPRESSION
    if "finding" in plain:
        return None, FINDINGS
    alike = difflib.get_close_matches(plain, _NAMES, n=1, cutoff=_FUZZY_CUTOFF)
    if alike:
        return None, _NAMES[alike[0]]
    if any(word in plain for word in ("history", "comparison", "indication")):
        return None, OTHER
    if _VIEW.search(plain):
        return None, VIEW
    return None, INSIDE if _ORGAN.search(plain) else OTHER
