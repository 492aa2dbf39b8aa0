import pytest

from tests.training.prepared_uploads import mimic_report, zip_of
from training.errors import UnreadableFileError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, b"") for name in ("a.jsonl", "a.csv", "a.zip", "a.tgz")),
        ("a.jsonl", b" \n\n"),
        ("a.csv", b"\n" * 1000),
        ("a.csv", b"findings,impression\n"),
    ],
)
def test_an_empty_file_is_refused(read, name, content):
    with pytest.raises(UnreadableFileError, match=rf"^{name}: is empty"):
        read(name, content)


def test_blank_lines_before_the_first_record_are_no_reason_to_stop(read):
    records, _ = read("a.jsonl", b"\n" * 1000 + b'{"findings": "x", "impression": "y"}')
    assert [record.place.line for record in records] == [1001]


@pytest.mark.parametrize("name", ["a.xlsx.exe", "a.pdf", "a", "a.zip", "a.tgz"])
def test_an_unknown_format_is_refused_with_the_known_ones(read, name):
    with pytest.raises(UnreadableFileError, match=r"known format; upload \.jsonl, \.json, \.csv"):
        read(name, b"%PDF-1.7 words")


def test_a_zip_is_known_by_its_content(read):
    records, _ = read("a.csv", zip_of({"a.txt": mimic_report(1)}))
    assert len(records) == 1
