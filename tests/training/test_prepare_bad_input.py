"""Uploads that cannot be used, or only in part: each fails or goes on with a clear message, and nothing is lost."""

import base64
import gzip
import json
import os
from pathlib import Path

import pytest

from tests.training.prepared_uploads import Workplace, json_lines, mimic_report, pair, tgz_of, zip_of
from training import prepare
from training.errors import UploadError

GOOD = json_lines([pair(n) for n in range(2000)])


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


BAD_FILES = {
    "empty.jsonl": (b"", "train/empty.jsonl: is empty"),
    "prose.jsonl": (b"secret words\nand more\n", "train/prose.jsonl: holds no record: line 1, line 2: not JSON"),
    "other.jsonl": (
        b'{"report": "secret words"}\n',
        "line 1: fields missing (found: report; wanted: findings + impression",
    ),
    "other.csv": (b"report,id\nsecret words,3\n", "train/other.csv: fields missing (found: report, id; wanted: "),
    "sheet.xlsx": (b"\xd0\xcf\x11\xe0 secret words", "train/sheet.xlsx: is not in a known format; upload .jsonl"),
    "array.json": (b'[{"findings": "a", "impression": "b"}]', "train/array.json: is a JSON array"),
    "cut.zip": (zip_of({"a.txt": os.urandom(3000)})[:2000], "train/cut.zip: is not a whole zip file"),
}
UNSAFE_FILES = {
    "up.zip": (zip_of({"../a.txt": mimic_report(1)}), "train/up.zip: member ../a.txt has a path that leads out"),
    "up.tgz": (
        tgz_of({"ok.txt": mimic_report(1), "/a.txt": mimic_report(2)}),
        "train/up.tgz: member /a.txt has a path",
    ),
    "bomb.zip": (zip_of({"a.txt": b" " * 20_000_000}), "train/bomb.zip: unpacks to more than 200 times its size"),
    "bomb.jsonl": (gzip.compress(b" " * 20_000_000), "train/bomb.jsonl: unpacks to more than 200 times"),
}


@pytest.mark.parametrize("name", [*BAD_FILES, *UNSAFE_FILES])
def test_a_bad_file_alone_fails_the_run_with_its_name_and_reason(place, name):
    content, message = (BAD_FILES | UNSAFE_FILES)[name]
    place.upload(f"train/{name}", content)
    with pytest.raises(UploadError) as failed:
        place.prepare()
    assert message in str(failed.value)
    assert "secret" not in str(failed.value)
    report = place.report()
    assert report["error"] == str(failed.value)
    assert message in report["files"][0]["refused"]
    assert report["counts"]["train"] == 0 and not (place.output / "train").exists()


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_beside_good_ones_is_left_out_with_a_warning(place, name):
    content, message = BAD_FILES[name]
    place.upload(f"train/{name}", content)
    place.upload("train/good.jsonl", GOOD)
    report = place.prepare()
    assert any(w.startswith("left out: ") and message in w for w in report["warnings"])
    counts = report["counts"]
    assert counts["train"] + counts["validation"] + counts["eval"]["holdout"] == 2000
    assert counts["uploaded"] == 2000 + counts["quarantined"]


@pytest.mark.parametrize("folder", ["train", "eval/dev1"])
@pytest.mark.parametrize("name", UNSAFE_FILES)
def test_an_unsafe_archive_beside_good_files_is_left_out_whole(place, name, folder):
    content, _ = UNSAFE_FILES[name]
    place.upload(f"{folder}/{name}", content)
    place.upload("train/good.jsonl", GOOD)
    report = place.prepare()
    assert report["counts"]["uploaded"] == 2000
    assert any(w.startswith(f"left out: {folder}/{name}: ") for w in report["warnings"])
    (refused,) = [file for file in report["files"] if file["name"] == f"{folder}/{name}"]
    assert refused["refused"]


@pytest.mark.parametrize("name", ["cut.tgz", "cut.jsonl"])
def test_nothing_that_an_unreadable_file_gave_before_is_used(place, name):
    noise = [os.urandom(500).hex() for _ in range(400)]
    if name == "cut.tgz":
        whole = tgz_of({f"{n}.txt": mimic_report(n) + text.encode() for n, text in enumerate(noise)})
    else:
        whole = gzip.compress(json_lines([pair(n, impression=f"study {text}") for n, text in enumerate(noise)]))
    place.upload(f"train/{name}", whole[: len(whole) * 3 // 4])
    place.upload("train/good.jsonl", json_lines([pair(n) for n in range(500)]))
    report = place.prepare()
    assert report["files"][0] | {"sha256": "", "bytes": 0} == {
        "name": f"train/{name}", "bytes": 0, "sha256": "", "records": 0, "quarantined": 0,
        "refused": report["files"][0]["refused"],
    }  # fmt: skip
    assert report["counts"]["uploaded"] == 500
    assert len(place.every_training_row()) == 500
    assert not any(row["target"].startswith(("study", "Nothing acute in")) for row in place.every_training_row())


def test_one_bad_line_among_thousands_is_set_aside(place):
    lines = GOOD.splitlines(keepends=True)
    lines[776] = b'{"findings": "secret words", "impres\n'
    place.upload("train/a.jsonl", b"".join(lines))
    report = place.prepare()
    assert report["counts"]["quarantined"] == 1
    assert "1 of 2000 training records are malformed: see quarantine/" in report["warnings"]
    (row,) = place.rows("quarantine")
    assert row["reason"].startswith("not JSON (Unterminated string")
    assert (row["file"], row["line"], row["content"]) == ("train/a.jsonl", 777, '{"findings": "secret words", "impres')
    assert "secret" not in json.dumps(report)


def test_too_many_bad_lines_fail_the_run_but_quarantine_and_report_are_written(place):
    lines = GOOD.splitlines(keepends=True)
    for at in range(0, 2000, 50):
        lines[at] = b"secret words\n"
    place.upload("train/a.jsonl", b"".join(lines))
    place.upload("train/b.jsonl", json_lines([pair(n) for n in range(5000, 5010)]) + b'{"findings": 1}\n')
    with pytest.raises(UploadError) as failed:
        place.prepare()
    message = str(failed.value)
    assert "41 of 2011 training records (2.04%) are malformed, more than max_bad_share 1.00% allows" in message
    assert (
        "most in train/a.jsonl (40): line 1, line 51, line 101: not JSON (Expecting value, column 1); all " in message
    )
    assert "secret" not in message
    assert len(place.rows("quarantine")) == 41
    assert place.report()["counts"]["quarantined"] == 41
    assert place.prepare(max_bad_share=0.05)["counts"]["quarantined"] == 41


def test_the_share_is_of_malformed_lines_at_most(place):
    place.upload("train/a.jsonl", GOOD + b"words\n" * 2)
    assert place.prepare(max_bad_share=2 / 2002)["counts"]["quarantined"] == 2
    with pytest.raises(UploadError):
        place.prepare(max_bad_share=1.9 / 2002)


def test_targets_with_more_words_than_their_inputs_are_counted_and_used(place):
    long = " and a word more" * 20
    place.upload("train/a.jsonl", json_lines([pair(n, impression=f"{n}{long if n < 3 else ''}") for n in range(200)]))
    place.upload("eval/dev1/a.jsonl", json_lines([pair(n, impression=f"{n}{long}") for n in range(200, 210)]))
    place.upload("eval/dev2/a.jsonl", json_lines([pair(n, impression=f"{n}") for n in range(210, 220)]))
    report = place.prepare()
    assert report["warnings"] == [
        "training: in 3 of 200 records impression has more words than findings; they are used as they are",
        "evaluation set dev1: in 10 of 10 records impression has more words than findings; they are used as they are",
    ]
    assert len(place.every_training_row()) == 200


def test_latin_1_is_read_with_a_warning(place):
    text = "findings,impression\n" + "".join(f"Œdème numéro {n},Rien à signaler {n}\n" for n in range(50))
    place.upload("train/a.csv", text.encode("cp1252"))
    report = place.prepare()
    assert "Œdème numéro 7" in {row["input"] for row in place.every_training_row()}
    assert any(w.startswith("train/a.csv: is not UTF-8 and was read as Windows-1252") for w in report["warnings"])


def test_bytes_that_are_not_text_go_to_quarantine_in_base64(place):
    place.upload("train/a.jsonl", json_lines([pair(n, note="é") for n in range(2000)]) + b"\xff\xfe\x00\n")
    place.prepare()
    (row,) = place.rows("quarantine")
    assert base64.b64decode(row["content_base64"]) == b"\xff\xfe\x00"
    assert row["reason"] == "not text" and "content" not in row


def test_a_line_of_100_mb_is_set_aside_by_its_head_size_and_hash(place):
    path = place.uploads / "train" / "a.jsonl"
    place.upload("train/a.jsonl", GOOD)
    with path.open("ab") as file:
        file.write(b'{"findings": "x')
        for _ in range(100):
            file.write("é".encode() * (1024**2 // 2))
        file.write(b'"}\n')
    report = place.prepare()
    assert report["counts"]["uploaded"] == 2001
    (row,) = place.rows("quarantine")
    assert (row["line"], row["reason"], row["bytes"]) == (2001, "longer than the limit", 100 * 1024**2 + 18)
    assert row["content"].startswith('{"findings": "xéé') and len(row["content"].encode()) == 4095
    assert len(row["sha256"]) == 64


def test_a_wrong_file_is_not_read_to_its_end(place, monkeypatch):
    monkeypatch.setattr(prepare, "GIVE_UP_AFTER", 10)
    place.upload("train/wrong.jsonl", b"words\n" * 500)
    place.upload("train/good.jsonl", GOOD)
    report = place.prepare()
    assert report["counts"]["quarantined"] == 10


@pytest.mark.parametrize("empty", [True, False])
def test_without_training_files_the_message_says_where_they_belong(place, empty):
    if empty:
        place.upload("eval/dev1/a.jsonl", GOOD)
    with pytest.raises(UploadError, match="no file lies under train/; upload reports there"):
        place.prepare()


def test_only_incomplete_records_are_no_training_data(place):
    place.upload("train/m.zip", zip_of({f"{n}.txt": b"IMPRESSION: Nothing." for n in range(5)}))
    with pytest.raises(UploadError, match=r"not one of the training records can be used \(no findings section: 5\)"):
        place.prepare()


def test_too_few_independent_records_cannot_be_split(place):
    place.upload("train/a.jsonl", json_lines([pair(n, patient="p1") for n in range(50)]))
    with pytest.raises(UploadError, match="too few are independent of each other"):
        place.prepare()
    assert "too few" in place.report()["error"]
