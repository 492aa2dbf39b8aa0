"""Invented clinical notes of any length."""

SECTIONS = ("HPI:", "Past Medical History:", "Medications:", "Physical Exam:", "Assessment and Plan:")
# As many words as a page has.
PAGE_WORDS = 500


def invented_note(pages: int) -> str:
    """A note of that many pages, in which no sentence stands twice: each has a number of its own."""
    lines: list[str] = []
    words = number = 0
    while words < pages * PAGE_WORDS:
        lines += ["", SECTIONS[len(lines) % len(SECTIONS)]]
        for _ in range(6):
            number += 1
            lines.append(f"Hospital day {number}: there is a nodule on the left, seen again, and Dr. Grey gave 2.5 mg.")
            words += len(lines[-1].split())
    return "\n".join(lines)
