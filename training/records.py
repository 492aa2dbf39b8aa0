"""What Prepare reads, and what it sets aside.

A record is one pair of texts: what the model is asked (`input`, for example findings) and what the doctor wrote
(`target`, for example the impression). A reader yields a `Record` or a `SetAside` for each thing it meets, so that
nothing of an upload disappears without a trace.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum

# A record's id and the comparison of texts both rest on `normalise`: change it and every id changes.
ID_DIGITS = 16


class Kind(Enum):
    """Why something is not a record.

    `MALFORMED` is broken data: not JSON, a missing field, a damaged archive member. Too many of them mean that the
    upload went wrong, so their share is limited. `INCOMPLETE` is sound data that cannot be learnt from: a report
    without a findings section. In MIMIC-CXR a third of all reports is like that, so their share is never limited.
    """

    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its file something stands: a line (from 1), a member of an archive, or neither (the whole file)."""

    line: int | None = None
    member: str | None = None

    def __str__(self) -> str:
        if self.member is not None:
            return f"member {printable(self.member)}"
        return f"line {self.line}" if self.line is not None else "the file"


@dataclass(frozen=True, slots=True)
class Record:
    """One pair of texts; of a classifier, a text and its label.

    `patient` groups the records of one patient or, where text was published, of one article; `normal` is the upload's
    own mark of a normal report.
    """

    input: str
    target: str
    place: Place
    patient: str | None = None
    normal: bool | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that is not a record.

    `reason` is one of a small number of fixed phrases, `detail` what differs from case to case; neither holds any
    text of the upload but names of fields. Where `content` is only the head of something too long to keep, `size`
    (bytes) and `sha256` say what the whole was.
    """

    kind: Kind
    reason: str
    place: Place
    content: str | bytes
    detail: str = ""
    size: int | None = None
    sha256: str | None = None

    @property
    def explanation(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def malformed(reason: str, place: Place, content: str | bytes, detail: str = "") -> SetAside:
    return SetAside(Kind.MALFORMED, reason, place, content, detail)


def incomplete(reason: str, place: Place, content: str | bytes) -> SetAside:
    return SetAside(Kind.INCOMPLETE, reason, place, content)


def normalise(text: str) -> str:
    """The form in which texts are compared: lower case, every run of white space one space, none at the ends."""
    return " ".join(text.lower().split())


def record_id(normalised_input: str, normalised_target: str) -> str:
    """16 hexadecimal digits, the same in every run for the same pair of normalised texts."""
    pair = f"{normalised_input}\0{normalised_target}".encode()
    return hashlib.sha256(pair).hexdigest()[:ID_DIGITS]


def is_encodable(text: str) -> bool:
    """False for half a surrogate pair (JSON can write one as `\\ud800`), which no UTF-8 file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    """A file's name for messages and reports: an S3 key may hold line breaks and bytes that are not text."""
    if name.isascii() and name.isprintable():
        return name
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
