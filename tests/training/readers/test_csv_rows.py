import csv
import io

import pytest

from tests.training.long_notes import invented_note
from training.errors import UnreadableFileError
from training.records import Place


def test_byte_order_mark_quoted_newlines_commas_and_doubled_quotes(read):
    content = (
        "\ufefffindings,impression,normal,patient\r\n"
        '"Lungs,\r\nclear ""as before"".","Nothing\nacute",yes,p7\r\n'
        "Heart,Big,,\r\n"
    ).encode()
    records, aside = read("a.csv", content)
    assert aside == []
    assert [(r.input, r.target, r.normal, r.patient, r.place) for r in records] == [
        ('Lungs,\nclear "as before".', "Nothing\nacute", True, "p7", Place(line=2)),
        ("Heart", "Big", None, None, Place(line=5)),
    ]


def test_a_note_of_two_hundred_pages_is_one_record(read):
    note = invented_note(200)
    assert note.count("\n") > 5_000
    content = io.StringIO()
    csv.writer(content).writerows([("findings", "impression"), (note, "Known nodule."), ("short", "Clear.")])
    records, aside = read("a.csv", content.getvalue().encode())
    assert aside == []
    assert [(r.input.split(), r.target) for r in records] == [(note.split(), "Known nodule."), (["short"], "Clear.")]


def test_columns_are_known_in_any_order_and_case(read):
    records, _ = read("a.csv", b"ID, Impression ,Findings\n1,b,a\n")
    assert [(r.input, r.target) for r in records] == [("a", "b")]


def test_a_header_without_the_fields_is_refused_by_name(read):
    with pytest.raises(UnreadableFileError, match=r"found: id, report; wanted: findings \+ impression or prompt"):
        read("a.csv", b"id,report\n1,x\n")


def test_a_file_without_a_header_does_not_show_its_text(read):
    with pytest.raises(UnreadableFileError) as refused:
        read("a.csv", b"Heart is enlarged.,Big heart seen\nx,y\n")
    assert "heart" not in str(refused.value).lower()


def test_a_row_with_too_few_or_too_many_fields_is_set_aside(read):
    records, aside = read("a.csv", b"findings,impression\na,b\nonly\na,b,c\nc,d\n")
    assert len(records) == 2
    assert [(item.place.line, item.explanation) for item in aside] == [
        (3, "wrong number of fields (1 instead of 2)"),
        (4, "wrong number of fields (3 instead of 2)"),
    ]


@pytest.mark.parametrize("broken", ['"never closed,b', 'a,"closed" and more'])
def test_one_row_with_broken_quotes_costs_one_row(read, broken):
    rows = [f'"row, {n}",b{n}' for n in range(3000)]
    rows[700] = broken
    records, (bad,) = read("a.csv", ("findings,impression\n" + "\n".join(rows) + "\n").encode())
    assert len(records) == 2999
    assert (bad.place.line, bad.reason, bad.content) == (702, "quotes of a CSV row do not match", broken)


def test_an_unclosed_quote_in_a_file_without_quotes_costs_one_row(read):
    rows = [f"row {n},b{n}" for n in range(3000)]
    rows[700] = '"never closed,b'
    records, (bad,) = read("a.csv", ("findings,impression\n" + "\n".join(rows) + "\n").encode())
    assert len(records) == 2999
    assert bad.place.line == 702
