import gzip
import json

import pytest

from training.errors import UnreadableFileError
from training.readers import read_upload
from training.records import Kind, Place

GOOD = b'{"findings": "Lungs are clear ___.", "impression": "Nothing acute."}\n'


def test_reads_a_record_a_line_and_keeps_the_text(read):
    records, aside = read("a.jsonl", b'{"findings": " A  b\\n___ XXXX ", "impression": "C\\u00e9."}\n\n' + GOOD)
    assert aside == []
    assert [(r.input, r.target, r.place) for r in records] == [
        ("A  b\n___ XXXX", "Cé.", Place(line=1)),
        ("Lungs are clear ___.", "Nothing acute.", Place(line=3)),
    ]


@pytest.mark.parametrize("names", [("findings", "impression"), ("prompt", "completion")])
def test_knows_both_pairs_of_names(read, names):
    records, _ = read("a.json", json.dumps(dict(zip(names, ("x", "y"), strict=True))).encode())
    assert [(r.input, r.target) for r in records] == [("x", "y")]


def test_the_tasks_own_names_come_first(upload):
    file = upload("a.jsonl", b'{"dialogue": "d", "note": "n", "prompt": "p", "completion": "c"}')
    file.pairs = (("dialogue", "note"), *file.pairs)
    assert [record.input for record in read_upload(file)] == ["d"]


def test_optional_fields(read):
    lines = [
        {"findings": "a", "impression": "b", "patient": "p1", "normal": True},
        {"findings": "a", "impression": "b", "subject_id": 17, "normal": 0},
        {"findings": "a", "impression": "b", "patient_id": "", "normal": None},
    ]
    records, _ = read("a.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert [(r.patient, r.normal) for r in records] == [("p1", True), ("17", False), (None, None)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"findings": "secret words", ', "not JSON"),
        (b'["secret words"]', "not a JSON object"),
        (b'{"findings": "secret words"}', "fields missing"),
        (b'{"findings": 3, "impression": "secret words"}', "field of the wrong type"),
        (b'{"findings": "secret words", "impression": "b", "normal": "perhaps"}', "field of the wrong type"),
        (b'{"findings": "secret words \\ud800", "impression": "b"}', "field of the wrong type"),
        (b"[" * 100_000, "not JSON"),
        (b'{"secret words": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"secret words \xff\xfe", "not text"),
        (b"secret \0 words", "not text"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_number_and_never_its_text(read, line, reason):
    sound_utf8 = '{"findings": "é", "impression": "è"}\n'.encode()
    records, (bad,) = read("a.jsonl", GOOD + sound_utf8 + line + b"\n" + GOOD)
    assert len(records) == 3
    assert (bad.kind, bad.reason, bad.place) == (Kind.MALFORMED, reason, Place(line=3))
    assert "secret" not in bad.explanation and "perhaps" not in bad.explanation
    assert bad.content in (line, line.decode("utf-8", "replace"))


def test_missing_fields_are_named_but_only_where_they_look_like_names(read):
    _, (bad,) = read("a.jsonl", b'{"report": "x", "Heart size is normal.": "y"}')
    assert "found: report and 1 not shown" in bad.detail
    assert "findings + impression or prompt + completion" in bad.detail
    assert "Heart" not in bad.detail


def test_an_empty_text_is_incomplete_not_malformed(read):
    _, (empty,) = read("a.jsonl", b'{"findings": "x", "impression": "  "}')
    assert (empty.kind, empty.reason) == (Kind.INCOMPLETE, "impression is empty")


def test_a_json_array_is_refused_with_what_to_do(read):
    with pytest.raises(UnreadableFileError, match="one JSON object a line"):
        read("a.json", b'[{"findings": "x", "impression": "y"}]')


def test_gzip_is_unpacked_whatever_the_name(read):
    for name in ("a.jsonl.gz", "a.jsonl"):
        records, _ = read(name, gzip.compress(GOOD * 3))
        assert len(records) == 3


def test_a_damaged_gzip_is_refused(read):
    with pytest.raises(UnreadableFileError, match="damaged or cut short"):
        read("a.jsonl.gz", gzip.compress(GOOD * 1000)[:-20])
