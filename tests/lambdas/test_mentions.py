"""Drugs, effects and kinds that a text names, by the lists and rules, and by Comprehend Medical."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.classify_texts import mentions
from lambdas.classify_texts.comprehend import CODE_BYTES, ask_comprehend, pieces
from lambdas.classify_texts.mentions import Mentions, find_mentions, kind_of

LISTS = Path(mentions.__file__).parent


@pytest.mark.parametrize(
    ("text", "drugs", "effects", "kind"),
    [
        ("AMOXICILLIN gave her a Rash.", ["amoxicillin"], ["rash"], "skin"),
        ("Rashes and seizures", [], ["rash", "seizure"], "skin"),
        ("Stevens-\nJohnson syndrome after co-trimoxazole", ["co-trimoxazole"], ["stevens-johnson syndrome"], "skin"),
        ("took St John’s wort", ["st john's wort"], [], None),
        ("acute liver failure, then jaundice; also nausea", [], ["acute liver failure", "jaundice", "nausea"], "liver"),
        ("zanubrutinib and Osimertinib", ["zanubrutinib", "osimertinib"], [], None),
        ("On April 3 the mongrel bit him", [], [], None),
        ("mab pril nib", [], [], None),
        ("painful, crashed, unfit", [], [], None),
        ("No rash, denies any chest pain, but vomiting.", [], ["vomiting"], "gastrointestinal"),
        ("Not eating. Fever since Monday.", [], ["fever"], "general"),
        ("No nausea. Dizzy.", [], ["dizzy"], "nervous system"),
        ("heart; attack", [], [], None),
        ("", [], [], None),
        ("💊💥 Кожный зуд", [], [], None),
        ("rash rash jaundice hepatitis cirrhosis", [], ["rash", "jaundice", "hepatitis", "cirrhosis"], "liver"),
        ("6-mercaptopurine caused pancytopenia", ["6-mercaptopurine"], ["pancytopenia"], "blood"),
    ],
)
def test_what_a_text_names(text: str, drugs: list[str], effects: list[str], kind: str | None) -> None:
    assert find_mentions(text) == Mentions(tuple(drugs), tuple(effects), kind)


def test_each_name_comes_once_in_the_order_of_the_text() -> None:
    found = find_mentions("Metoprolol, then evolocumab, then metoprolol, aspirin; itching, cough, itching")
    assert found.drugs == ("metoprolol", "evolocumab", "aspirin")
    assert found.effects == ("itching", "cough")


def test_every_term_of_the_lists_is_found_and_has_one_kind() -> None:
    drugs = json.loads((LISTS / "drugs.json").read_text(encoding="utf-8"))
    effects = json.loads((LISTS / "effects.json").read_text(encoding="utf-8"))
    terms = [term for some in effects.values() for term in some]
    assert len(drugs["names"]) >= 250 and len(terms) >= 200 and len(effects) >= 12
    assert len(terms) == len(set(terms))
    for name in drugs["names"]:
        assert find_mentions(f"took {name} daily").drugs == (name,)
    for kind, some in effects.items():
        for term in some:
            assert (find_mentions(f"then {term} came").effects, kind_of([term])) == ((term,), kind)
    for stem in drugs["stems"]:
        assert find_mentions(f"xyz{stem}").drugs == (f"xyz{stem}",)


@pytest.mark.parametrize("piece", ["x ", "acute liver ", "no ", "-", "acute renal failure ", "nib "])
def test_work_grows_with_the_length_of_a_text_and_no_faster(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    original = mentions._stands_at

    def counted(*given: Any) -> bool:
        nonlocal looks
        looks += 1
        return original(*given)

    monkeypatch.setattr(mentions, "_stands_at", counted)

    def looks_at(length: int) -> int:
        nonlocal looks
        looks = 0
        find_mentions((piece * length)[:length])
        return looks

    assert looks_at(50_000) <= 11 * looks_at(5_000)


def entity(text: str, category: str, kind: str, score: float, *traits: str) -> dict[str, Any]:
    return {
        "Id": 1,
        "Text": text,
        "Category": category,
        "Type": kind,
        "Score": score,
        "Traits": [{"Name": name, "Score": 0.9} for name in traits],
    }


def coded(*concepts: tuple[str, float], negated: bool = False) -> dict[str, Any]:
    traits = [{"Name": "NEGATION", "Score": 0.9}] if negated else []
    return {"ICD10CMConcepts": [{"Code": code, "Score": score} for code, score in concepts], "Traits": traits}


def test_comprehend_medical_names_what_it_is_sure_of() -> None:
    client = boto3.client("comprehendmedical", region_name="us-east-1")
    text = "Zocor, then myalgia"
    entities = [
        entity("Zocor", "MEDICATION", "BRAND_NAME", 0.60),
        entity("doubtful", "MEDICATION", "GENERIC_NAME", 0.59),
        entity("20 mg", "MEDICATION", "DOSAGE", 0.99),
        entity("Severe Myalgia", "MEDICAL_CONDITION", "DX_NAME", 0.9, "SYMPTOM"),
        entity("fever", "MEDICAL_CONDITION", "DX_NAME", 0.9, "NEGATION"),
        entity("knee", "ANATOMY", "SYSTEM_ORGAN_SITE", 0.9),
        entity("Zocor", "MEDICATION", "BRAND_NAME", 0.9),
    ]
    codes = [
        coded(("M79.10", 0.70), ("M60.9", 0.2)),
        coded(("R50.9", 0.69)),
        coded(),
        coded(("R51", 0.99), negated=True),
    ]
    with Stubber(client) as stub:
        stub.add_response("detect_entities_v2", {"Entities": entities, "ModelVersion": "3"}, {"Text": text})
        stub.add_response("infer_icd10_cm", {"Entities": codes}, {"Text": text})
        found = ask_comprehend(client, text)
        stub.assert_no_pending_responses()
    assert found == Mentions(("zocor",), ("severe myalgia",), "muscles and joints", ("M79.10",))


def test_a_long_text_is_asked_about_in_pieces_that_the_service_takes() -> None:
    client = boto3.client("comprehendmedical", region_name="us-east-1")
    text = "Übelkeit " * 3_000  # 30,000 bytes
    asked: list[int] = []
    with Stubber(client) as stub:
        for most in (20_000, CODE_BYTES):
            for piece in pieces(text, most):
                asked.append(len(piece.encode()))
                operation = "detect_entities_v2" if most == 20_000 else "infer_icd10_cm"
                more = {"ModelVersion": "3"} if most == 20_000 else {}
                stub.add_response(operation, {"Entities": [], **more}, {"Text": piece})
        assert ask_comprehend(client, text) == Mentions((), (), None, ())
        stub.assert_no_pending_responses()
    assert max(asked[:2]) <= 20_000 and max(asked[2:]) <= CODE_BYTES


@pytest.mark.parametrize(
    "text", ["one two three", "ää öö üü " * 9, "x" * 100, "😀" * 30, "a " * 60, "  lead", "x\n\ny"]
)
@pytest.mark.parametrize("most", [8, 17, 1000])
def test_pieces_keep_every_word_and_every_character(text: str, most: int) -> None:
    found = list(pieces(text, most))
    assert all(0 < len(piece.encode()) <= most for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    words_that_fit = [word for word in text.split() if len(word.encode()) <= most]
    assert [word for piece in found for word in piece.split() if word in words_that_fit] == words_that_fit
