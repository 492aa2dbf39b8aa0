"""From named fields (of a JSON object or a CSV row) to a record. Used by both, so that both mean the same."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from training.labels import Labels
from training.readers.upload import Upload
from training.records import Place, Record, SetAside, incomplete, is_encodable, malformed

# What fields may be called where the task's own names are not used: reports, and JumpStart's instruction format.
KNOWN_PAIRS = (("findings", "impression"), ("prompt", "completion"))
# Whose text it is: records that share one of these stand on one side of every split.
PATIENT_FIELDS = ("patient", "patient_id", "subject_id", "article", "article_id", "pubmed_id")
NORMAL_FIELD = "normal"

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
# Names are shown to the user only where they look like names: a file without a header has clinical text there.
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_NAMES_SHOWN = 10


class FieldError(ValueError):
    """A value cannot be used; the message names its field, never the value."""


def field_pairs(input_field: str, target_field: str) -> tuple[tuple[str, str], ...]:
    """The names that input and target may have, the task's own first."""
    return tuple(dict.fromkeys(((input_field, target_field), *KNOWN_PAIRS)))


def choose_pair(names: Iterable[str], pairs: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """The first pair of which both names are there."""
    present = set(names)
    return next((pair for pair in pairs if pair[0] in present and pair[1] in present), None)


def found_and_wanted(names: Iterable[str], pairs: tuple[tuple[str, str], ...]) -> str:
    """Which names were found and which are wanted, for a message."""
    every = list(names)
    shown = [name for name in every if _IDENTIFIER.fullmatch(name)][:_NAMES_SHOWN]
    rest = len(every) - len(shown)
    found = ", ".join(shown) + (f"{' and ' if shown else ''}{rest} not shown" if rest else "")
    wanted = " or ".join(f"{first} + {second}" for first, second in pairs)
    return f"found: {found or 'none'}; wanted: {wanted}"


def to_record(values: Mapping[str, Any], upload: Upload, place: Place, content: str) -> Record | SetAside:
    """A record from named values; `content` is the line or row they came from, for quarantine."""
    pair = choose_pair(values, upload.pairs)
    if pair is None:
        return malformed("fields missing", place, content, found_and_wanted(values, upload.pairs))
    input_name, target_name = pair
    try:
        texts = [_text(input_name, values[input_name]), _target(target_name, values[target_name], upload.labels)]
        patient = _patient(values)
        normal = _normal(values.get(NORMAL_FIELD))
    except FieldError as error:
        return malformed("field of the wrong type", place, content, str(error))
    for name, text in zip(pair, texts, strict=True):
        if not text:
            return incomplete(f"{name} is empty", place, content)
    return labelled(Record(texts[0], texts[1], place, patient, normal), upload, content)


def labelled(record: Record, upload: Upload, content: str) -> Record | SetAside:
    """`record` with its target as the task spells that label; as it is where targets are free text."""
    if upload.labels is None:
        return record
    label = upload.labels.find(record.target)
    if label is None:
        return malformed("unknown label", record.place, content, f"wanted: {upload.labels}")
    return dataclasses.replace(record, target=label)


def _target(name: str, value: Any, labels: Labels | None) -> str:
    """Published data sets write labels as 0 and 1, in JSON and Parquet as numbers."""
    if labels is not None and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(name, value)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(f"{name} must be text")
    if not is_encodable(value):
        raise FieldError(f"{name} holds half of a surrogate pair")
    return value.strip()


def _patient(values: Mapping[str, Any]) -> str | None:
    for name in PATIENT_FIELDS:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := _text(name, value):
            return text
    return None


def _normal(value: Any) -> bool | None:
    text = str(value).strip().lower()
    if value is None or text == "":
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise FieldError(f"{NORMAL_FIELD} must be true or false")
