"""Numbers and measurements in clinical prose, in figures or in words, with their units.

A unit belongs to a family (length, mass, time, ...) in which 1.4 cm and 14 mm are equal. Dictated notes spell numbers
out, in more than one way ("one twenty over eighty"), so words are read in every way that makes sense.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Family -> unit -> how many of the family's smallest one it is.
_FAMILIES: dict[str, dict[str, float]] = {
    "length": {
        **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
        **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
        **dict.fromkeys(("meter", "meters", "metre", "metres"), 1000.0),
        **dict.fromkeys(("inch", "inches"), 25.4),
        **dict.fromkeys(("foot", "feet", "ft"), 304.8),
    },
    "mass": {
        **dict.fromkeys(("mcg", "µg", "ug", "microgram", "micrograms"), 0.001),
        **dict.fromkeys(("mg", "milligram", "milligrams"), 1.0),
        **dict.fromkeys(("g", "gm", "gram", "grams"), 1000.0),
        **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms"), 1e6),
        **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 453_592.0),
    },
    "volume": {
        **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitres"), 1.0),
        **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), 1000.0),
    },
    "time": {
        **dict.fromkeys(("sec", "secs", "second", "seconds"), 1.0),
        **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
        **dict.fromkeys(("day", "days"), 86_400.0),
        **dict.fromkeys(("week", "weeks", "wk", "wks"), 7 * 86_400.0),
        **dict.fromkeys(("month", "months"), 30.4375 * 86_400.0),
        **dict.fromkeys(("year", "years", "yr", "yrs"), 365.25 * 86_400.0),
    },
    "share": dict.fromkeys(("%", "percent", "per cent"), 1.0),
    "pressure": dict.fromkeys(("mmhg", "mm hg"), 1.0),
    "rate": dict.fromkeys(("bpm", "beats", "/min", "breaths"), 1.0),
    "temperature": dict.fromkeys(("degrees", "degree", "°f", "°c", "° f", "° c"), 1.0),
    "mass in volume": {"mg/dl": 1.0, "g/dl": 1000.0, "g/l": 100.0},
    "amount in volume": dict.fromkeys(("meq/l", "mmol/l"), 1.0),
    "units": dict.fromkeys(("unit", "units"), 1.0),
    "packs": dict.fromkeys(("pack", "packs"), 1.0),
}
_UNITS = {unit: (family, factor) for family, units in _FAMILIES.items() for unit, factor in units.items()}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_AFTER = rf"(?:[\s-]*(?P<unit>{_UNIT})(?![a-z]))?"
_FIGURES = r"(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+)"
_ANY_FIGURES = re.compile(rf"(?P<number>{_FIGURES}){_AFTER}")
# What is written to a number without a space, and no part of a name: "38.5C", "76yo", "63F", "40mEq", "2.5x3.1".
_SUFFIX = r"(?=(?:yo|y|m|f|c|k|u|iu|meq|mmol)(?![a-z\d])|x\d)"
# Not a part of a name (V1, T2, q6h) or of an ordinal or decade (4th, 70s); "x3" is three times.
_OWN_FIGURES = re.compile(
    rf"(?:(?<![a-z\d])|(?<=\bx))(?<![a-z][-.])(?<!\d[.,:])(?P<number>{_FIGURES})(?![\d:]){_AFTER}(?:(?![a-z\d])|{_SUFFIX})"
)


def _list(words: str) -> list[str]:
    return words.split()


_ONES = _list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = _list("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _list(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
)
_MONTHS = _list("january february march april may june july august september october november december")
_SMALL = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    **{word: value for value, word in enumerate(_ORDINALS, start=1)},
    "twentieth": 20,
    "thirtieth": 30,
    "once": 1,
    "twice": 2,
    "oh": 0,
}
_LARGE = {"hundred": 100, "thousand": 1000}
_WORD = "|".join(sorted((*_SMALL, *_LARGE), key=len, reverse=True))
_WORDS = re.compile(rf"\b(?P<number>(?:{_WORD})(?:(?:[\s-]+|\s+and\s+|\s+point\s+)(?:{_WORD}))*)\b{_AFTER}")
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
# Words of one number that are read together, and in every way.
_LONGEST_RUN = 8


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, with its unit where it has one; `text` is how it stands there."""

    value: float
    unit: str | None
    text: str

    def equals(self, other: "Quantity") -> bool:
        """Whether it says the same; one without unit equals the same number with any."""
        if self.unit is None or other.unit is None:
            return math.isclose(self.value, other.value)
        (family, factor), (other_family, other_factor) = _UNITS[self.unit], _UNITS[other.unit]
        return family == other_family and math.isclose(self.value * factor, other.value * other_factor)


def stated(text: str) -> Iterator[Quantity]:
    """What a text in lower case says in figures, and in words with a unit behind them, each read in one way."""
    for found in _OWN_FIGURES.finditer(text):
        yield Quantity(_figures(found["number"]), found["unit"], found[0].strip())
    for found in _WORDS.finditer(text):
        words = _words_of(found["number"])
        # "one" is a pronoun, and "second" an ordinal.
        if found["unit"] and words != ["one"] and not set(words) & {*_ORDINALS, "once", "twice", "oh"}:
            yield Quantity(_read(words), found["unit"], found[0])


def readable(text: str) -> Iterator[Quantity]:
    """Everything that a text in lower case can be read to say, also as parts of names, dates and runs of words."""
    for found in _ANY_FIGURES.finditer(text):
        yield Quantity(_figures(found["number"]), found["unit"], found[0])
    for found in _WORDS.finditer(text):
        for value in _every_reading(_words_of(found["number"])):
            yield Quantity(value, found["unit"], found[0])
    for found in _MONTH.finditer(text):
        yield Quantity(_MONTHS.index(found[0]) + 1, None, found[0])


def _figures(number: str) -> float:
    return float(number.replace(",", ""))


def _words_of(number: str) -> list[str]:
    return [word for word in re.split(r"[\s-]+", number) if word != "and"]


def _every_reading(words: Sequence[str]) -> set[float]:
    """Of "nineteen ninety four": 19, 94, 90, 4, 113, 1994, ..."""
    runs = (
        words[begin:end]
        for begin, end in itertools.combinations(range(len(words) + 1), 2)
        if end - begin <= _LONGEST_RUN and words[begin] != "point" and words[end - 1] != "point"
    )
    return {value for run in runs for value in (_read(run), _side_by_side(run)) if value is not None}


def _read(words: Sequence[str]) -> float:
    """As it is written out: "one hundred thirty six", "ninety eight point six"."""
    if "point" in words:
        at = words.index("point")
        digits = "".join(str(_SMALL.get(word, "")) for word in words[at + 1 :])
        return _read(words[:at]) + float(f"0.{digits or 0}")
    total = current = 0
    for word in words:
        if word == "thousand":
            total, current = total + max(current, 1) * 1000, 0
        elif word == "hundred":
            current = max(current, 1) * 100
        else:
            current += _SMALL[word]
    return float(total + current)


def _side_by_side(words: Sequence[str]) -> float | None:
    """As it is dictated: "one twenty" is 120, "nineteen ninety four" 1994. None where a word is no part of that."""
    if not all(word in _SMALL for word in words):
        return None
    parts: list[int] = []
    for word in words:
        value = _SMALL[word]
        if parts and parts[-1] % 10 == 0 and parts[-1] >= 20 and 0 < value < 10:
            parts[-1] += value
        else:
            parts.append(value)
    return float("".join(map(str, parts)))
