"""Signs that a text names a person: counted, so that somebody looks; nothing is removed on such weak evidence.

De-identified collections mark what they removed (`___` in MIMIC-CXR, `XXXX` in Open-i), so a date or a surname that is
still there is worth a warning. The rules are cheap and know common written forms only: no count is proof of none.
"""

import re

_DATE = re.compile(
    r"\b(?:\d{1,2}[/-]\d{1,2}[/-](?:19|20)?\d{2}|(?:19|20)\d{2}-\d{2}-\d{2}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2},? (?:19|20)\d{2})\b"
)
_PHONE = re.compile(r"(?<![\d.-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\d-])")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[A-Za-z]{2,}\b")
_RECORD_NUMBER = re.compile(r"\b(?:mrn|medical record(?: number)?|patient id)\b[ :#]*\d{5,}", re.IGNORECASE)
_DOCTOR = re.compile(r"\b(?:Dr|Drs|Doctor)\.? (?!X{2,})[A-Z][A-Za-z'-]+")

# Without one of these there is neither a date nor a telephone number.
_DIGITS = re.compile(r"\d(?:[/-]\d|\d\d)")
KINDS = ("date", "phone", "email", "record_number", "doctor")


def suspected_phi(text: str) -> tuple[str, ...]:
    """The kinds (of `KINDS`) of which the text holds at least one."""
    found = []
    # Most texts have none of the signs, and one search for them is far quicker than five patterns.
    if _DIGITS.search(text):
        if _DATE.search(text):
            found.append("date")
        if _PHONE.search(text):
            found.append("phone")
    if "@" in text and _EMAIL.search(text):
        found.append("email")
    lowered = text.lower()
    if ("mrn" in lowered or "medical record" in lowered or "patient id" in lowered) and _RECORD_NUMBER.search(text):
        found.append("record_number")
    if ("Dr" in text or "Doctor" in text) and _DOCTOR.search(text):
        found.append("doctor")
    return tuple(found)
