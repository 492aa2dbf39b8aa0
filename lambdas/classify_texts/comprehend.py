"""Drugs, conditions and ICD-10-CM codes by Amazon Comprehend Medical, for tasks whose settings ask for it.

The text goes to that service of AWS in the same region, and each text that is asked about costs money: so only those
that the model gives the positive label are.
"""

from collections.abc import Iterator
from typing import Any

from lambdas.classify_texts.mentions import Mentions, kind_of

ENTITY_SCORE, CODE_SCORE = 0.60, 0.70
# Bytes of UTF-8 that the two operations take in one request.
ENTITY_BYTES, CODE_BYTES = 20_000, 10_000


def ask_comprehend(client: Any, text: str) -> Mentions:
    """What Comprehend Medical (a boto3 client) finds in a text.

    Raises:
        botocore's errors: it did not answer; it is safe to ask again.
    """
    drugs: dict[str, None] = {}
    effects: dict[str, None] = {}
    codes: dict[str, None] = {}
    for piece in pieces(text, ENTITY_BYTES):
        for entity in client.detect_entities_v2(Text=piece)["Entities"]:
            if entity["Score"] < ENTITY_SCORE or _is_denied(entity):
                continue
            if entity["Category"] == "MEDICATION" and entity["Type"] in ("GENERIC_NAME", "BRAND_NAME"):
                drugs[entity["Text"].lower()] = None
            elif entity["Category"] == "MEDICAL_CONDITION":
                effects[entity["Text"].lower()] = None
    for piece in pieces(text, CODE_BYTES):
        for entity in client.infer_icd10_cm(Text=piece)["Entities"]:
            concepts = entity.get("ICD10CMConcepts", [])
            # The best comes first.
            if concepts and concepts[0]["Score"] >= CODE_SCORE and not _is_denied(entity):
                codes[concepts[0]["Code"]] = None
    return Mentions(tuple(drugs), tuple(effects), kind_of(effects), tuple(codes))


def pieces(text: str, most: int) -> Iterator[str]:
    """The text in parts of `most` bytes of UTF-8 at most, divided at white space where there is any."""
    rest = text.strip()
    while rest:
        # A cut within a character is taken back by ignoring what is left of it.
        piece = rest.encode()[:most].decode("utf-8", "ignore")
        if len(piece) < len(rest) and not rest[len(piece)].isspace():
            at_space = max(piece.rfind(space) for space in " \t\n\r")
            piece = piece[:at_space] if at_space > 0 else piece
        if piece.strip():
            yield piece
        rest = rest[len(piece) :].lstrip()


def _is_denied(entity: dict[str, Any]) -> bool:
    return any(trait["Name"] == "NEGATION" for trait in entity.get("Traits", []))
