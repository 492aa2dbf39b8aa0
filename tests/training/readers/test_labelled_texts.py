"""Texts with labels: as JSON lines, CSV, Parquet and the ADE corpus's own files. All sentences are invented."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.errors import ArgumentError, UnreadableFileError
from training.labels import Labels
from training.readers import read_upload
from training.readers.fields import field_pairs
from training.readers.upload import Limits, UnsafeArchiveError, Upload
from training.records import Kind, Place, Record, SetAside

ADVERSE, NONE = "Adverse_Event", "Not_AE"
Read = Callable[..., tuple[list[Record], list[SetAside]]]


@pytest.fixture
def read_labelled(tmp_path: Path) -> Read:
    """Reads a file made from a name and its bytes, as of a task with two labels."""

    def run(name: str, content: bytes, limits: Limits | None = None) -> tuple[list[Record], list[SetAside]]:
        path = tmp_path / name
        path.write_bytes(content)
        upload = Upload(path, name, field_pairs("text", "label"), limits or Limits(), Labels(ADVERSE, NONE))
        items = list(read_upload(upload))
        return [i for i in items if isinstance(i, Record)], [i for i in items if isinstance(i, SetAside)]

    return run


def json_lines(*rows: dict[str, object]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_two_columns_of_json_lines(read_labelled: Read) -> None:
    records, aside = read_labelled(
        "a.jsonl",
        json_lines(
            {"text": "A rash after the second dose.", "label": ADVERSE, "pubmed_id": 17},
            {"text": "No complaints.", "label": " not_ae "},
            {"text": "Nausea 🤢 после таблетки", "label": 1, "article": "a2"},
            {"text": "Slept well.", "label": "0"},
        ),
    )
    assert aside == []
    assert [(r.input, r.target, r.patient) for r in records] == [
        ("A rash after the second dose.", ADVERSE, "17"),
        ("No complaints.", NONE, None),
        ("Nausea 🤢 после таблетки", ADVERSE, "a2"),
        ("Slept well.", NONE, None),
    ]


def test_two_columns_of_csv_with_a_byte_order_mark(read_labelled: Read) -> None:
    content = '\ufeffText,Label\n"A rash, then ""fever""\nat night.",Adverse_Event\nSlept well 😴,0\n'.encode()
    records, aside = read_labelled("a.csv", content)
    assert aside == []
    assert [(r.input, r.target) for r in records] == [
        ('A rash, then "fever"\nat night.', ADVERSE),
        ("Slept well 😴", NONE),
    ]


@pytest.mark.parametrize(
    ("row", "kind", "reason"),
    [
        ({"text": "secret words", "label": "secret label"}, Kind.MALFORMED, "unknown label"),
        ({"text": "secret words", "label": 2}, Kind.MALFORMED, "unknown label"),
        ({"text": "secret words", "label": True}, Kind.MALFORMED, "field of the wrong type"),
        ({"text": "secret words", "label": ""}, Kind.INCOMPLETE, "label is empty"),
        ({"text": " \n ", "label": ADVERSE}, Kind.INCOMPLETE, "text is empty"),
        ({"text": "secret words"}, Kind.MALFORMED, "fields missing"),
    ],
)
def test_a_row_without_text_or_known_label_is_set_aside_by_name(
    read_labelled: Read, row: dict[str, object], kind: Kind, reason: str
) -> None:
    records, (aside,) = read_labelled("a.jsonl", json_lines({"text": "ok", "label": NONE}, row))
    assert len(records) == 1
    assert (aside.kind, aside.reason, aside.place) == (kind, reason, Place(line=2))
    assert "secret" not in aside.explanation


def test_the_wanted_labels_are_named(read_labelled: Read) -> None:
    _, (aside,) = read_labelled("a.jsonl", json_lines({"text": "x", "label": "maybe"}))
    assert aside.explanation == "unknown label (wanted: Adverse_Event or Not_AE)"


def test_free_text_targets_are_read_as_ever(read: Read) -> None:
    """A task without labels: a number is no text, and no target is unknown."""
    records, (aside,) = read(
        "a.jsonl", json_lines({"findings": "a", "impression": "0"}, {"findings": "a", "impression": 1})
    )
    assert (records[0].target, aside.reason) == ("0", "field of the wrong type")


def test_a_very_long_text_is_kept_whole(read_labelled: Read) -> None:
    text = ("He took two 💊 and felt dizzy. " * 2000)[:50_000].strip()
    for name, content in (
        ("a.jsonl", json_lines({"text": text, "label": 1})),
        ("a.csv", f"text,label\n{text},1\n".encode()),
        ("a.parquet", parquet(text=[text], label=[1])),
    ):
        (record,), _ = read_labelled(name, content)
        assert record.input == text


def test_published_positives(read_labelled: Read) -> None:
    lines = (
        "101|A rash after mirzapine.|rash|2|6|mirzapine|13|22\n"
        "101|A rash after mirzapine.|A rash|0|6|mirzapine|13|22\n"
        "102|Dizziness (grade 2|3) with tolvex.|Dizziness|0|9|tolvex|28|34\n"
    )
    records, aside = read_labelled("DRUG-AE.rel", lines.encode())
    assert aside == []
    assert [(r.input, r.target, r.patient, r.place.line) for r in records] == [
        ("A rash after mirzapine.", ADVERSE, "101", 1),
        ("A rash after mirzapine.", ADVERSE, "101", 2),
        ("Dizziness (grade 2|3) with tolvex.", ADVERSE, "102", 3),
    ]


def test_published_negatives_in_windows_1252(read_labelled: Read) -> None:
    lines = "103 NEG Tolvex was given at 5 µg.\n\n103 NEG We report a case of NEG cells.\n"
    records, aside = read_labelled("ADE-NEG.txt", lines.encode("cp1252"))
    assert aside == []
    assert [(r.input, r.target, r.patient) for r in records] == [
        ("Tolvex was given at 5 µg.", NONE, "103"),
        ("We report a case of NEG cells.", NONE, "103"),
    ]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("DRUG-AE.rel", "101|secret words|rash|2|six|drug|1|2", "not a line of the ADE corpus"),
        ("DRUG-AE.rel", "secret words", "not a line of the ADE corpus"),
        ("DRUG-AE.rel", "101| |rash|2|6|drug|1|2", "sentence is empty"),
        ("ADE-NEG.txt", "103 POS secret words", "not a line of the ADE corpus"),
        ("ADE-NEG.txt", "NEG secret words", "not a line of the ADE corpus"),
        ("ADE-NEG.txt", "103 NEG", "sentence is empty"),
    ],
)
def test_other_lines_of_the_corpus_are_set_aside(read_labelled: Read, name: str, line: str, reason: str) -> None:
    records, (aside,) = read_labelled(name, f"{line}\n".encode())
    assert records == []
    assert aside.reason == reason and "secret" not in aside.explanation


def test_the_corpus_file_whose_sentences_have_no_label_is_refused(read_labelled: Read) -> None:
    with pytest.raises(UnreadableFileError, match=r"known format; upload .*DRUG-AE\.rel or ADE-NEG\.txt"):
        read_labelled("DRUG-DOSE.rel", b"101|Tolvex 5 mg daily.|5 mg|7|11|Tolvex|0|6\n")


def test_a_task_of_reports_does_not_take_the_corpus_for_reports(read: Read) -> None:
    with pytest.raises(UnreadableFileError, match="known format"):
        read("ADE-NEG.txt", b"103 NEG words\n")


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\0" * 257 + b"ustar"])
def test_an_archive_holds_no_labels(read_labelled: Read, head: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="no labels; unpack it"):
        read_labelled("a.zip", head)


def test_published_parquet(read_labelled: Read) -> None:
    content = parquet(text=["A rash.", "Slept well.", None, "x"], label=[1, 0, 1, 5], other=[{"a": 1}] * 4)
    records, aside = read_labelled("train-00000-of-00001.parquet", content)
    assert [(r.input, r.target, r.patient, r.place.line) for r in records] == [
        ("A rash.", ADVERSE, None, 1),
        ("Slept well.", NONE, None, 2),
    ]
    assert [(a.reason, a.place.line) for a in aside] == [("text is empty", 3), ("unknown label", 4)]


def test_parquet_of_many_rows_and_other_types(read_labelled: Read) -> None:
    texts = [f"Sentence {number}" for number in range(1000)]
    labels = pa.array([NONE, ADVERSE] * 500).dictionary_encode()
    records, aside = read_labelled(
        "a.parquet", parquet(text=pa.array(texts, pa.large_string()), label=labels, pubmed_id=list(range(1000)))
    )
    assert aside == []
    assert [r.input for r in records] == texts
    assert (records[999].target, records[999].patient, records[999].place.line) == (ADVERSE, "999", 1000)


def test_bytes_that_are_no_text_cost_their_row_only(read_labelled: Read) -> None:
    short = pa.array([b"fine", b"secret \xff\xfe"], pa.binary()).view(pa.string())
    long = pa.array([b"fine", b"secret \xff\xfe"], pa.large_binary()).view(pa.large_string())
    for broken in (short, long, short.dictionary_encode()):
        (record,), (aside,) = read_labelled("a.parquet", parquet(text=broken, label=[1, 1]))
        assert (record.input, aside.reason, aside.place.line) == ("fine", "not text", 2)


def test_parquet_that_cannot_be_read_is_refused_by_name(read_labelled: Read) -> None:
    whole = parquet(text=["secret words"] * 50, label=[1] * 50)
    with pytest.raises(UnreadableFileError, match=r"^a\.parquet: is damaged") as caught:
        read_labelled("a.parquet", whole[: len(whole) // 2])
    assert "secret" not in str(caught.value)
    with pytest.raises(UnreadableFileError, match=r"fields missing \(found: sentence, label; wanted: text \+ label"):
        read_labelled("a.parquet", parquet(sentence=["a"], label=[1]))
    with pytest.raises(UnreadableFileError, match="is empty"):
        read_labelled("a.parquet", parquet(text=pa.array([], pa.string()), label=pa.array([], pa.int64())))


def test_parquet_keeps_the_limits(read_labelled: Read) -> None:
    text = "secret " * 1000
    _, (aside,) = read_labelled("a.parquet", parquet(text=[text], label=[1]), Limits(record_bytes=1000))
    assert (aside.reason, aside.size) == ("longer than the limit", len(text)) and len(aside.content) <= 4096
    differing = [f"{'a' * 10_000}{number}" for number in range(100)]
    for texts in (differing, [text] * 5000):
        with pytest.raises(UnsafeArchiveError, match="decompression bomb"):
            read_labelled("a.parquet", parquet(text=texts, label=[1] * len(texts)), Limits(ratio=2, ratio_floor=10_000))


@pytest.mark.parametrize(("positive", "negative"), [("", "b"), ("a", " "), ("Same", "same ")])
def test_labels_must_be_two(positive: str, negative: str) -> None:
    with pytest.raises(ArgumentError, match="two labels of different names"):
        Labels(positive, negative)


def test_only_the_classes_have_numbers() -> None:
    labels = Labels(ADVERSE, NONE)
    assert (labels.number(NONE), labels.number(ADVERSE)) == (0, 1)
    with pytest.raises(ValueError):
        labels.number("adverse_event")
