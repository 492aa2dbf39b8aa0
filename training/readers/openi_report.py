"""One report of the Indiana University collection (Open-i): XML with labelled sections and MeSH headings."""

import xml.etree.ElementTree as ElementTree

from training.readers.report_sections import NO_FINDINGS, NO_IMPRESSION
from training.records import Place, Record, SetAside, incomplete, malformed


def read_openi_report(data: bytes, place: Place) -> Record | SetAside:
    """The report's findings and impression; `normal` says whether its indexers gave it the MeSH heading "normal".

    The collection does not say which reports are of one patient.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        # The collection has none, and entities are what XML bombs are made of.
        return malformed("XML with a document type", place, data)
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        return malformed("not XML", place, data, type(error).__name__)
    labelled = [element for element in root.iter("AbstractText") if element.get("Label")]
    if not labelled:
        return malformed("not an Open-i report", place, data, "no labelled AbstractText")
    findings, impression = (_section(labelled, label) for label in ("FINDINGS", "IMPRESSION"))
    if not findings:
        return incomplete(NO_FINDINGS, place, data)
    if not impression:
        return incomplete(NO_IMPRESSION, place, data)
    headings = [(element.text or "").strip().lower() for element in root.findall("./MeSH/major")]
    # Without any heading, and with "no indexing", nobody has judged the report.
    judged = [heading for heading in headings if heading and heading != "no indexing"]
    return Record(findings, impression, place, normal=judged == ["normal"] if judged else None)


def _section(labelled: list[ElementTree.Element], label: str) -> str:
    texts = ["".join(e.itertext()) for e in labelled if (e.get("Label") or "").strip().upper() == label]
    return " ".join(" ".join(texts).split())
