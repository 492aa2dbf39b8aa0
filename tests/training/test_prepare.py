"""Prepare as a whole: what goes where, what is counted, and what is said. All texts are invented."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.training.prepared_uploads import Workplace, json_lines, mimic_report, openi_report, pair, tgz_of, zip_of
from training.errors import ArgumentError, UploadError
from training.part_files import PartFiles
from training.prepare import Arguments
from training.records import normalise, record_id

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_layout_rows_and_counts(place):
    place.upload("train/a.jsonl", json_lines([pair(n, patient=f"p{n}", normal=n % 2 == 0) for n in range(90)]))
    place.upload(
        "train/more/b.csv", b"findings,impression\nCsv findings,Csv impression\nCSV  findings,csv impression\n"
    )
    place.upload("eval/dev2/e.jsonl", json_lines([pair(n) for n in range(1000, 1010)]))
    report = place.prepare(validation_fraction=0.2)
    assert report["counts"] == {
        "uploaded": 92, "train": 73, "validation": 18, "holdout": 0, "quarantined": 0, "duplicates": 1,
        "overruled": 0, "reviewed": 0, "eval": {"dev2": 10},
    }  # fmt: skip
    assert [len(place.rows(p)) for p in ("train", "validation", "eval/dev2")] == [73, 18, 10]
    row = next(row for row in place.every_training_row() if row["patient"] == "p7")
    assert row == {
        "id": record_id(normalise("Lungs clear in view 7."), normalise("Nothing acute, study 7.")),
        "input": "Lungs clear in view 7.",
        "target": "Nothing acute, study 7.",
        "patient": "p7",
        "normal": False,
    }
    assert report["warnings"] == [] and report["error"] is None
    assert json.loads((place.output / "report" / "arguments.json").read_text())["validation_fraction"] == 0.2


def test_ids_are_what_they_are_promised_to_be():
    expected = hashlib.sha256(b"lungs clear.\0nothing.").hexdigest()[:16]
    assert record_id(normalise(" Lungs\n  CLEAR. "), normalise("Nothing.")) == expected


def test_every_format_together(place):
    place.upload("train/m.zip", zip_of({f"files/p10/p100000{n:02}/s{n}.txt": mimic_report(n) for n in range(20)}))
    place.upload("train/o.tgz", tgz_of({f"o/{n}.xml": openi_report(n) for n in range(20)}))
    place.upload("train/j.jsonl.gz", gzip.compress(json_lines([pair(n) for n in range(20)])))
    report = place.prepare()
    assert report["counts"]["uploaded"] == 60
    assert [(f["name"], f["records"]) for f in report["files"]] == [
        ("train/j.jsonl.gz", 20),
        ("train/m.zip", 20),
        ("train/o.tgz", 20),
    ]
    assert len({row["id"] for row in place.every_training_row()}) == 60


def test_incomplete_reports_are_set_aside_and_never_fail_the_run(place):
    members = {f"files/p10/p100000{n:02}/s{n}.txt": mimic_report(n) for n in range(20)}
    members |= {f"files/p11/p110000{n:02}/s{n}.txt": b"IMPRESSION: Nothing." for n in range(60)}
    place.upload("train/m.zip", zip_of(members))
    report = place.prepare(max_bad_share=0.0)
    assert report["counts"]["quarantined"] == 60
    assert report["quarantine_reasons"] == {"training": {"no findings section": 60}, "evaluation": {}}
    assert "60 of 80 training records are incomplete: see quarantine/" in report["warnings"]
    assert place.rows("quarantine")[0] == {
        "file": "train/m.zip",
        "line": None,
        "reason": "no findings section",
        "member": "files/p11/p11000000/s0.txt",
        "content": "IMPRESSION: Nothing.",
    }


def test_uploaded_is_the_sum_of_where_records_went(place):
    lines = (
        json_lines([pair(n % 150) for n in range(300)])
        + b"broken\n"
        + json_lines([{"findings": "x", "impression": ""}])
    )
    place.upload("train/a.jsonl", lines)
    counts = place.prepare()["counts"]
    assert counts["duplicates"] == 150 and counts["quarantined"] == 2
    assert counts["holdout"] == counts["eval"]["holdout"] > 0
    everywhere = (counts["train"], counts["validation"], counts["holdout"], 150, 2)
    assert counts["uploaded"] == sum(everywhere) == 302


def test_reasons_are_told_of_the_training_data_and_of_each_evaluation_set(place):
    bad = json_lines([{"findings": "x", "impression": ""}])
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(300)]) + b"broken\n" + bad)
    place.upload("train/b.jsonl", json_lines([pair(n) for n in range(300, 400)]) + bad)
    place.upload("eval/dev1/a.jsonl", json_lines([pair(1000)]) + b"broken\n")
    place.upload("eval/dev1/b.jsonl", json_lines([pair(1001)]) + b"broken\n" + bad)
    place.upload("eval/dev2/a.jsonl", json_lines([pair(1002)]))
    empty = "impression is empty"
    assert place.prepare()["quarantine_reasons"] == {
        "training": {empty: 2, "not JSON": 1},
        "evaluation": {"dev1": {"not JSON": 2, empty: 1}, "dev2": {}},
    }


def test_lengths_are_counted_in_bins_of_ten_words_for_what_was_written(place):
    def sized(number: int, words: int) -> dict[str, object]:
        return {"findings": f"{number} " + "word\n " * (words - 1), "impression": f"Study {number}."}

    lengths = [1, 9, 10, 19, 20, 499, 500, 5000]
    training = [sized(n, words) for n, words in enumerate(lengths * 10)]
    # Neither duplicates nor what is set aside are in it.
    place.upload("train/a.jsonl", json_lines([*training, training[0], {"findings": "x", "impression": ""}]))
    place.upload("eval/dev1/a.jsonl", json_lines([sized(1000, 12), sized(1001, 12), training[7]]))
    report = place.prepare(validation_fraction=0.2, max_bad_share=0.1)
    told = report["lengths"]
    assert told["evaluation"] == {"dev1": {"input": {"10": 2}, "target": {"0": 2}}}
    assert told["training"].keys() == {"train", "validation"}
    together = Counter(told["training"]["train"]["input"]) + Counter(told["training"]["validation"]["input"])
    assert together == {"0": 20, "10": 20, "20": 10, "490": 10, "500": 20}
    for split, fields in told["training"].items():
        for field, bins in fields.items():
            words = [len(row[field].split()) for row in place.rows(split)]
            assert bins == Counter(str(min(number // 10 * 10, 500)) for number in words)


def test_a_run_that_stops_tells_no_lengths(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]) + b"broken\n")
    with pytest.raises(UploadError):
        place.prepare(max_bad_share=0.0)
    assert place.report()["lengths"] == {"training": {}, "evaluation": {}}
    assert place.report()["quarantine_reasons"]["training"] == {"not JSON": 1}


def test_evaluation_sets_are_cleaned_of_training_texts_patients_and_duplicates(place):
    place.upload("train/m.zip", zip_of({f"files/p10/p100000{n:02}/s{n}.txt": mimic_report(n) for n in range(30)}))
    evaluation = [
        pair(1),
        pair(1),
        {"findings": "LUNGS are clear  in study 5.", "impression": "Other words."},
        pair(2, subject_id=10000007),
        pair(3, subject_id=99999999),
    ]
    place.upload("eval/dev1/e.jsonl", json_lines(evaluation))
    report = place.prepare()
    assert report["removed_from_evaluation"] == {"dev1": 2}
    assert report["duplicates_in_evaluation"] == {"dev1": 1}
    assert {row["input"] for row in place.rows("eval/dev1")} == {"Lungs clear in view 1.", "Lungs clear in view 3."}


def test_an_evaluation_set_that_ends_empty_is_left_out_with_a_warning(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    place.upload("eval/same/e.jsonl", json_lines([pair(n) for n in range(5)]))
    place.upload("eval/broken/e.jsonl", b"words\n")
    place.upload("eval/good/e.jsonl", json_lines([pair(100)]))
    report = place.prepare()
    assert report["counts"]["eval"] == {"good": 1}
    assert not (place.output / "eval" / "same").exists()
    assert any("evaluation set same is left out" in warning for warning in report["warnings"])
    assert any("evaluation set broken is left out" in warning for warning in report["warnings"])
    assert any("left out: eval/broken/e.jsonl: holds no record: line 1: not JSON" in w for w in report["warnings"])


def test_without_an_evaluation_set_a_part_is_held_out(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(200)]))
    report = place.prepare(holdout_fraction=0.1)
    assert report["counts"]["eval"] == {"holdout": 20}
    assert report["counts"]["holdout"] == 20
    assert sum(report["lengths"]["evaluation"]["holdout"]["input"].values()) == 20
    assert len(place.rows("eval/holdout")) == 20
    assert any("20 training records were set aside as evaluation set holdout" in w for w in report["warnings"])


def test_misplaced_files_are_warned_of(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    for name in ("eval/loose.jsonl", "eval/a set/e.jsonl", "other/x.jsonl"):
        place.upload(name, b"words")
    report = place.prepare()
    assert any(warning.startswith("3 uploaded files lie neither") for warning in report["warnings"])


def test_suspected_phi_is_counted_and_removed_nowhere(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    told = {"findings": "Seen by Dr. Miller on 03/04/2019, MRN 1234567.", "impression": "Call 617-555-0123 or a@b.org."}
    blanked = {"findings": "Seen by Dr. ___ and Dr. XXXX on ___, 1.4 cm.", "impression": "Size 12/15 mm, T5-6."}
    place.upload("train/b.jsonl", json_lines([told, blanked]))
    report = place.prepare()
    kinds = {"date": 1, "doctor": 1, "email": 1, "phone": 1, "record_number": 1}
    assert report["phi_suspected"] == {"train/b.jsonl": kinds}
    assert any(warning.startswith("records may name persons (") for warning in report["warnings"])
    assert told["findings"] in {row["input"] for row in place.every_training_row()}
    assert "Miller" not in json.dumps(report)


def test_the_fingerprint_is_of_names_and_bytes(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    first = place.prepare()
    assert place.prepare(seed=2)["fingerprint"] == first["fingerprint"]
    content = (place.uploads / "train/a.jsonl").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert first["files"][0]["sha256"] == digest
    assert first["fingerprint"] == hashlib.sha256(f"train/a.jsonl\0{digest}\n".encode()).hexdigest()
    place.upload("train/a.jsonl", content + b"\n")
    assert place.prepare()["fingerprint"] != first["fingerprint"]


def test_any_file_name_is_told_safely(place):
    place.upload("train/line\nbreak \N{SNOWMAN}.jsonl", json_lines([pair(n) for n in range(50)]))
    name = os.fsdecode(b"broken \xff.jsonl")
    place.upload(f"train/{name}", json_lines([pair(100)]))
    report = place.prepare()
    assert [f["name"] for f in report["files"]] == ["train/broken \\udcff.jsonl", "train/line\\nbreak ☃.jsonl"]


def test_parts_are_bounded_and_appear_whole(tmp_path):
    with PartFiles(tmp_path / "train", lines_a_part=3) as parts:
        for n in range(7):
            parts.write(b"%d\n" % n)
    assert [p.read_bytes() for p in sorted((tmp_path / "train").iterdir())] == [b"0\n1\n2\n", b"3\n4\n5\n", b"6\n"]
    with pytest.raises(RuntimeError), PartFiles(tmp_path / "broken") as parts:
        parts.write(b"0\n")
        raise RuntimeError
    assert list((tmp_path / "broken").iterdir()) == []


def test_it_does_not_mix_two_runs_in_one_output_folder(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    place.prepare()
    place.runs -= 1
    with pytest.raises(ArgumentError, match="already holds train, validation"):
        place.prepare()


@pytest.mark.parametrize(
    "wrong",
    [{"validation_fraction": 0.0}, {"holdout_fraction": 0.6}, {"max_bad_share": 1.5}, {"target_field": "findings"}],
)
def test_impossible_arguments_are_refused(tmp_path, wrong):
    fields = {"input_field": "findings", "target_field": "impression"} | wrong
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Arguments(tmp_path, tmp_path, **fields)


def test_the_command_line(place):
    place.upload("train/a.jsonl", json_lines([pair(n) for n in range(50)]))
    output, message = place.folder / "out", place.folder / "message"
    command = [
        sys.executable, "-m", "training.prepare", "--uploads", place.uploads, "--output", output,
        "--input-field", "findings", "--target-field", "impression", "--validation-fraction", "0.05", "--seed", "1",
        "--max-bad-share", "0.01", "--holdout-fraction", "0.1", "--message-file", message,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '"uploaded": 50' in done.stdout and not message.exists()
    place.upload("train/b.jsonl", b"secret words\n" + json_lines([pair(100)]))
    command[command.index(output)] = place.folder / "out2"
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert message.read_text().startswith("UploadError: 1 of 52 training records (1.92%) are malformed")
    assert "secret" not in failed.stdout + failed.stderr + message.read_text()
