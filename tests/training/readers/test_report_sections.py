"""Headings of free-text reports in their variants. All reports are invented."""

import pytest

from training.readers.report_sections import (
    NO_FINDINGS,
    NO_IMPRESSION,
    ONE_SECTION,
    findings_and_impression,
)

HEAD = (
    "                                 FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n \n"
    " INDICATION:  ___ with cough\n \n"
)


@pytest.mark.parametrize(
    "report",
    [
        HEAD + " FINDINGS: \n \n Lungs are\n clear.\n \n IMPRESSION: \n \n No acute process.\n",
        HEAD + " FINDINGS:  Lungs are clear.\n\n IMPRESSION:  No acute process.",
        HEAD + " Findings: Lungs are clear.\n Impression: No acute process.",
        HEAD + " findings:\n Lungs are clear.\n impression:\n No acute process.",
        HEAD + " FINDINGS: Lungs are clear. IMPRESSION: No acute process.",
        HEAD + " FINDINGS\n\n Lungs are clear.\n\n IMPRESSION\n\n No acute process.",
        HEAD + " FINDINGS:\n Lungs are clear.\n CONCLUSION:\n No acute process.",
        HEAD + " FINDINGS:\n Lungs are clear.\n IMPRESSON:\n No acute process.",
        HEAD + " CHEST FINDINGS:\n Lungs are clear.\n FINAL IMPRESSION:\n No acute process.",
        HEAD + " FINDNGS:\n Lungs are clear.\n IMPRESSION:\n No acute process.",
        HEAD + " CHEST, TWO VIEWS:\n Lungs are clear.\n IMPRESSION:\n No acute process.",
        HEAD + " FRONTAL AND LATERAL VIEWS OF THE CHEST:  Lungs are clear.\n IMPRESSION:  No acute process.",
        HEAD
        + " FINDINGS:\n\n CHEST, PA AND LATERAL:\n\n FINDINGS:\n Lungs are clear.\n IMPRESSION:\n No acute process.",
        HEAD + " IMPRESSION:  No acute process.\n FINDINGS:  Lungs are clear.",
        HEAD + " FINDINGS: Lungs are clear.\n IMPRESSION: No acute process.\n NOTIFICATION: Dr. ___ was told by phone.",
        HEAD + " FINDINGS: Lungs are clear.\n IMPRESSION: No acute process.\n RECOMMENDATION(S):  Repeat in ___.",
        HEAD.replace("\n", "\r\n") + " FINDINGS:\r\n Lungs are clear.\r\n IMPRESSION:\r\n No acute process.\r\n",
        HEAD + " FINDINGS\r\n Lungs are clear.\r\n IMPRESSION\r\n No acute process.\r\n",
        "FINDINGS: Lungs are clear.\nIMPRESSION: No acute process.",
    ],
)
def test_variants_of_one_report(report):
    assert findings_and_impression(report) == ("Lungs are clear.", "No acute process.")


def test_a_report_in_capitals():
    report = "INDICATION: COUGH. COMPARISON: NONE. FINDINGS: LUNGS ARE CLEAR. IMPRESSION: NO ACUTE PROCESS."
    assert findings_and_impression(report) == ("LUNGS ARE CLEAR.", "NO ACUTE PROCESS.")


def test_marks_of_removed_names_are_text():
    report = HEAD + " FINDINGS:  Compared with ___, stable.\n IMPRESSION:  No change since ___. Dr. ___ knows.\n"
    assert findings_and_impression(report) == ("Compared with ___, stable.", "No change since ___. Dr. ___ knows.")


def test_headings_of_organs_stay_inside_the_findings():
    report = HEAD + " FINDINGS:\n LUNGS: Clear.\n HEART: Normal.\n LINES AND TUBES: None.\n IMPRESSION: Normal.\n"
    assert findings_and_impression(report) == ("LUNGS: Clear. HEART: Normal. LINES AND TUBES: None.", "Normal.")


def test_a_sentence_with_a_colon_is_no_heading():
    report = HEAD + " FINDINGS: Two nodules:\n the larger: 5 mm.\n IMPRESSION: Nodules.\n"
    assert findings_and_impression(report) == ("Two nodules: the larger: 5 mm.", "Nodules.")


def test_the_last_of_several_impressions_counts_with_the_findings_before_it():
    report = HEAD + " FINDINGS: First.\n IMPRESSION: Early.\n FINDINGS: Second.\n IMPRESSION: Late.\n"
    assert findings_and_impression(report) == ("Second.", "Late.")


def test_a_wet_read_is_not_the_report():
    report = (
        " WET READ: ___ ___ ___ 3:04 AM\n  Preliminary words.\n IMPRESSION: Wet.\n"
        " ______________________________________________________________________________\n"
        + HEAD
        + " FINDINGS: Lungs are clear.\n IMPRESSION: Dry.\n"
    )
    assert findings_and_impression(report) == ("Lungs are clear.", "Dry.")


@pytest.mark.parametrize(
    "heading", [" WET READ: ___ 3:04 AM\n", " Wet read: \n", " PROVISIONAL FINDINGS IMPRESSION (PFI): \n"]
)
def test_a_wet_read_alone_is_no_impression(heading):
    report = HEAD + " FINDINGS: Lungs are clear.\n" + heading + " IMPRESSION: Wet.\n"
    assert findings_and_impression(report) == NO_IMPRESSION


def test_an_addendum_does_not_replace_the_reports_impression():
    report = (
        HEAD
        + " FINDINGS: Clear.\n IMPRESSION: Nothing.\n ADDENDUM:  Left and right were swapped.\n IMPRESSION: Other.\n"
    )
    assert findings_and_impression(report) == ("Clear.", "Nothing.")


def test_an_addendum_before_the_report_ends_at_its_title():
    report = " ADDENDUM  Dictated later.\n" + HEAD + " FINDINGS: Clear.\n IMPRESSION: Nothing.\n"
    assert findings_and_impression(report) == ("Clear.", "Nothing.")


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (HEAD + " IMPRESSION: No acute process.\n", NO_FINDINGS),
        (HEAD + " FINDINGS: \n \n IMPRESSION: No acute process.\n", NO_FINDINGS),
        (HEAD + " FINDINGS: Lungs are clear.\n", NO_IMPRESSION),
        (HEAD + " FINDINGS: Lungs are clear.\n IMPRESSION:\n \n", NO_IMPRESSION),
        (HEAD + " FINDINGS AND IMPRESSION:  Lungs are clear.\n", ONE_SECTION),
        (HEAD + " FINDINGS/IMPRESSION:  Lungs are clear.\n", ONE_SECTION),
        ("Some words without any heading.", NO_IMPRESSION),
        ("", NO_IMPRESSION),
    ],
)
def test_what_is_missing_is_said(report, reason):
    assert findings_and_impression(report) == reason
