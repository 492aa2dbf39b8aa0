"""Invented CT reports: what their impressions name, in which order, and that no shortcut writes them."""

import json
import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from local.invented import ct_vocabulary
from local.invented.ct_reports import CtReport, invented_ct_reports, main
from local.invented.ct_vocabulary import URGENCIES, CtVocabularyError, Finding, regions
from training.phi import suspected_phi
from training.report_text import reads_as_normal, sentences
from training.rouge import ROUGE_L, rouge_scores

COUNT, SEED = 3_000, 7
POINT = re.compile(r"(?:^|(?<=\s))(\d)\. (?=[A-Z0-9])")


@pytest.fixture(scope="module")
def reports() -> list[CtReport]:
    return invented_ct_reports(COUNT, SEED)


@pytest.fixture(scope="module")
def known() -> dict[str, Finding]:
    """Every finding that an impression names; no two regions call one the same."""
    named = [finding for region in regions() for finding in region.findings if finding.impression]
    assert len({finding.name for finding in named}) == len(named)
    return {finding.name: finding for finding in named}


def test_the_same_seed_invents_the_same_and_another_something_else() -> None:
    first = invented_ct_reports(200, 1)

    assert first == invented_ct_reports(200, 1)
    shared = {report.findings for report in first} & {report.findings for report in invented_ct_reports(200, 2)}
    assert len(shared) < 5


def test_as_many_as_asked_for_and_no_two_with_the_same_findings(reports: list[CtReport]) -> None:
    assert len({report.findings.lower() for report in reports}) == COUNT


def test_findings_are_named_by_criticality(reports: list[CtReport], known: dict[str, Finding]) -> None:
    for report in reports:
        urgencies = [URGENCIES.index(known[name].urgency) for name in report.named]
        assert urgencies == sorted(urgencies)


def test_the_order_of_the_findings_is_not_that_of_the_impression(
    reports: list[CtReport], known: dict[str, Finding]
) -> None:
    organs = {organ: place for region in regions() for place, organ in enumerate(region.organs)}
    several = [[organs[known[name].organ] for name in report.named] for report in reports if len(report.named) > 1]

    assert len(several) > 0.4 * COUNT
    assert 0.4 < sum(places != sorted(places) for places in several) / len(several) < 0.9


def test_an_impression_has_a_numbered_point_for_each_of_several_findings(reports: list[CtReport]) -> None:
    for report in reports:
        numbers = [int(number) for number in POINT.findall(report.impression)]
        assert numbers == (list(range(1, len(report.named) + 1)) if len(report.named) > 1 else [])


def test_every_named_finding_has_its_advice(reports: list[CtReport], known: dict[str, Finding]) -> None:
    said = defaultdict(set)
    for report in reports:
        for name in report.named:
            said[name] |= {one for one in advice_of(known[name]) if one in report.impression}
            assert any(one in report.impression for one in advice_of(known[name])), name

    assert said.keys() == known.keys(), "every finding occurs"


def advice_of(finding: Finding) -> set[str]:
    """What may be advised; templates of advice have neither slots nor alternatives."""
    texts = {"".join(str(part) for part in one) for one in finding.advice}
    assert not any("Slot" in text or "Choice" in text for text in texts)
    return texts


def test_sizes_sides_and_places_of_the_impression_stand_in_the_findings(reports: list[CtReport]) -> None:
    said = re.compile(r"\d+(?:\.\d)? [cm]m\b|\b(?:left|right)\b")
    for report in reports:
        told = report.findings.lower()
        # Advice names no size and no side, so what is found is the finding's own.
        assert all(word in told for word in said.findall(report.impression.lower()))


def test_what_is_advised_follows_from_the_size_of_a_nodule(reports: list[CtReport]) -> None:
    nodule = re.compile(r"(\d+(?:\.\d)?) (mm|cm) nodule in the (?:left|right) \w+ lobe\. ([^.]+)\.", re.IGNORECASE)
    advised = defaultdict(set)
    for report in reports:
        for number, unit, advice in nodule.findall(report.impression):
            millimetres = float(number) * (10 if unit == "cm" else 1)
            advised["small" if millimetres < 6 else "middle" if millimetres <= 8 else "large"].add(advice)

    assert advised == {
        "small": {"No routine follow-up"},
        "middle": {"CT chest in 6 to 12 months"},
        "large": {"CT chest in 3 months"},
    }


def test_normal_is_what_names_nothing_and_reads_so(reports: list[CtReport]) -> None:
    normal = [report for report in reports if report.normal]

    assert 0.08 < len(normal) / COUNT < 0.25
    assert all(reads_as_normal(report.impression) for report in normal)
    assert all(not report.named for report in normal)
    assert not any(reads_as_normal(report.impression) for report in reports if not report.normal)


def test_a_patient_has_one_study_or_a_few(reports: list[CtReport]) -> None:
    patients = {report.patient for report in reports}

    assert 0.7 * COUNT < len(patients) < 0.9 * COUNT


def test_no_report_names_a_person_or_leaves_a_bracket_or_a_gap(reports: list[CtReport]) -> None:
    for report in reports:
        for text in (report.findings, report.impression):
            assert suspected_phi(text) == ()
            assert not re.search(r"[{}\[\]|]|  | [.,;:?!]|^ | $|\.\.", text)
            assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in sentences(text))


def test_neither_the_first_sentences_nor_a_constant_answer_is_a_good_impression(reports: list[CtReport]) -> None:
    some = reports[:500]
    lead = [" ".join(sentences(report.findings)[:3]) for report in some]
    constant = [some[0].impression] * len(some)
    references = [report.impression for report in some]

    for answers in (lead, constant):
        scores = rouge_scores(list(zip(answers, references, strict=True)))[:, ROUGE_L]
        assert scores.mean() < 0.35


def test_the_command_writes_files_of_different_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path / "ct", train=60, evaluation=20, seed=3)

    sides = {
        name: [json.loads(line) for line in (tmp_path / "ct" / name).read_text(encoding="utf-8").splitlines()]
        for name in ("train.jsonl", "dev1.jsonl")
    }
    assert [len(records) for records in sides.values()] == [60, 20]
    assert {frozenset(record) for records in sides.values() for record in records} == {
        frozenset({"findings", "impression", "patient", "normal"})
    }
    patients = [{record["patient"] for record in records} for records in sides.values()]
    assert not patients[0] & patients[1]
    assert "60 invented reports" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("organ: sella", "organ: soul", "head.yaml: pituitary: organ 'soul' is none of the region's"),
        ("urgency: follow-up", "urgency: soon", "urgency must be one of critical, urgent, follow-up"),
        ('impression: ["Hydrocephalus."]', "impression: []", "hydrocephalus: impression and advice belong to"),
        ('impression: ["Hydrocephalus."]', 'impression: ["{size}"]', "hydrocephalus: nothing fills ['size']"),
        (
            '"The pituitary gland is [enlarged|full], {size} in height."',
            '"The pituitary gland is enlarged."',
            "pituitary: its findings do not tell ['size']",
        ),
    ],
)
def test_words_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, message: str
) -> None:
    folder = tmp_path / "ct"
    shutil.copytree(ct_vocabulary.FOLDER, folder)
    file = folder / "head.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    monkeypatch.setattr(ct_vocabulary, "FOLDER", folder)

    with pytest.raises(CtVocabularyError, match=re.escape(message)):
        regions.__wrapped__()
