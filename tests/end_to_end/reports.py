"""Invented reports, varied enough to be trained on and scored."""

import json
import random
from pathlib import Path

_SIDES = ("left", "right")
_PLACES = ("upper lobe", "lower lobe", "hilum", "costophrenic angle", "apex")
_FINDINGS = ("opacity", "nodule", "effusion", "atelectasis", "calcification", "scarring")
_SIZES = ("small", "moderate", "large", "1.4 cm", "2 cm")


def pair(number: int) -> dict[str, str | bool]:
    """The same pair for the same number; a third of them normal."""
    random_ = random.Random(number)
    if number % 3 == 0:
        return {
            "findings": f"Study {number}. The heart is normal in size. The lungs are clear. No effusion.",
            "impression": "No acute cardiopulmonary abnormality.",
            "normal": True,
        }
    size, side, finding, place = (random_.choice(words) for words in (_SIZES, _SIDES, _FINDINGS, _PLACES))
    return {
        "findings": f"Study {number}. There is a {size} {finding} in the {side} {place}. The heart is normal in size.",
        "impression": f"{size.capitalize()} {finding} in the {side} {place}.",
        "normal": False,
    }


def write_reports(path: Path, numbers: range) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(pair(number)) + "\n" for number in numbers), encoding="utf-8")
    return path
