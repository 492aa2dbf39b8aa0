"""The ADE corpus as it was published: sentences of case reports, with the article that each is from.

    DRUG-AE.rel    article|sentence|adverse effect|begin|end|drug|begin|end     every sentence reports an adverse event
    ADE-NEG.txt    article NEG sentence                                         none does

A sentence stands in DRUG-AE.rel once for each pair of drug and effect; Prepare drops the repetitions. DRUG-DOSE.rel has
the same form as DRUG-AE.rel, but its sentences may report no event, so files are known by their whole names.

Source: H. Gurulingappa et al., "Development of a benchmark corpus to support the automatic extraction of drug-related
adverse effects from medical case reports", Journal of Biomedical Informatics 2012.
"""

import re
from collections.abc import Iterator

from training.labels import Labels
from training.readers.upload import Upload
from training.records import Place, Record, SetAside, incomplete, malformed
from training.text_lines import Line

DRUG_AE, NEGATIVES = "DRUG-AE.rel", "ADE-NEG.txt"

# The sentence is what is left between the first field and the last six, since it may hold the separator itself.
_RELATION = re.compile(r"(\d+)\|(.*)\|[^|]*\|\d+\|\d+\|[^|]*\|\d+\|\d+")
_NEGATIVE = re.compile(r"(\d+) NEG(?: (.*))?")


def read_drug_ae(upload: Upload, lines: Iterator[Line]) -> Iterator[Record | SetAside]:
    """Yield a positive record or what was set aside for each line that is not blank."""
    return _read(_labels(upload).positive, _RELATION, lines)


def read_negatives(upload: Upload, lines: Iterator[Line]) -> Iterator[Record | SetAside]:
    """Yield a negative record or what was set aside for each line that is not blank."""
    return _read(_labels(upload).negative, _NEGATIVE, lines)


def _labels(upload: Upload) -> Labels:
    if upload.labels is None:
        raise TypeError("the files of this corpus are read only for a task with labels")
    return upload.labels


def _read(label: str, form: re.Pattern[str], lines: Iterator[Line]) -> Iterator[Record | SetAside]:
    for line in lines:
        if line.text is None:
            yield line.set_aside()
        elif line.text.strip():
            yield _record(label, form, line.text, Place(line=line.number))


def _record(label: str, form: re.Pattern[str], text: str, place: Place) -> Record | SetAside:
    found = form.fullmatch(text.strip())
    if found is None:
        return malformed("not a line of the ADE corpus", place, text)
    article, sentence = found[1], (found[2] or "").strip()
    if not sentence:
        return incomplete("sentence is empty", place, text)
    return Record(sentence, label, place, article)
