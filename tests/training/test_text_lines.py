"""Encodings, and lines that are too long."""

import codecs
import hashlib
import io
import tracemalloc

import pytest

from training.text_lines import HEAD_BYTES, read_lines

TEXT = "Œdème à gauche.\nÉpanchement – 3 cm.\n"
LINES = ["Œdème à gauche.", "Épanchement – 3 cm."]


def lines_of(content: bytes, limit: int = 1000) -> tuple[list, list[str]]:
    warnings: list[str] = []
    return list(read_lines(lambda: io.BytesIO(content), limit, warnings.append)), warnings


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
    ],
)
def test_unicode_is_read_without_a_warning(content):
    lines, warnings = lines_of(content)
    assert [line.text for line in lines] == LINES
    assert warnings == []


def test_windows_1252_is_read_with_a_warning():
    lines, (warning,) = lines_of(TEXT.encode("cp1252"))
    assert [line.text for line in lines] == LINES
    assert "Windows-1252" in warning


def test_latin_1_bytes_that_windows_1252_lacks_are_kept():
    lines, warnings = lines_of(b"a\x81b\xe9\n")
    assert lines[0].text == "a\x81bé"
    assert len(warnings) == 1


def test_one_broken_line_does_not_turn_a_utf8_file_into_another_encoding():
    lines, warnings = lines_of(TEXT.encode() + b"broken \xe9\n")
    assert [line.text for line in lines] == [*LINES, None]
    assert (lines[2].raw, lines[2].reason, lines[2].number) == (b"broken \xe9", "not text", 3)
    assert warnings == []


def test_a_line_at_the_limit_is_read_and_one_byte_more_is_not():
    lines, _ = lines_of(b"x" * 1000 + b"\n" + b"y" * 1001 + b"\nend")
    assert [line.text for line in lines] == ["x" * 1000, None, "end"]
    assert [line.number for line in lines] == [1, 2, 3]


def test_a_long_line_leaves_its_head_size_and_hash(tmp_path):
    size = 100 * 1024**2
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b"first\n")
        for _ in range(100):
            file.write(b"z" * 1024**2)
        file.write(b"\nlast\n")
    tracemalloc.start()
    try:
        lines = list(read_lines(lambda: path.open("rb"), 1024**2, lambda _: None))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [line.text for line in lines] == ["first", None, "last"]
    long = lines[1]
    expected = hashlib.sha256()
    for _ in range(100):
        expected.update(b"z" * 1024**2)
    expected.update(b"\n")
    assert (long.raw, long.size, long.sha256) == (b"z" * HEAD_BYTES, size + 1, expected.hexdigest())
    assert peak < 8 * 1024**2
