"""The article's table on a tiny encoder and invented texts: its rows, and what is said of those that it lacks."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import article_table
from bench.adverse_texts import NEGATIVE, POSITIVE
from tests.training.tiny_encoder import POSITIVE as TINY_POSITIVE
from tests.training.tiny_encoder import build_tiny_encoder, labelled_texts
from tests.training.tiny_writer import ToldWriter
from training import generate_examples


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return build_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {
            "id": record["patient"],
            "text": record["input"],
            "label": POSITIVE if record["target"] == TINY_POSITIVE else NEGATIVE,
        }
        for record in labelled_texts(180)
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(file: Path, encoder: Path, *more: str) -> dict[str, Any]:
    """Run the command; what it wrote as JSON."""
    target = file.parent / "table.json"
    given = ["--base-encoder", str(encoder), "--epochs", "2", "--learning-rate", "0.003", "--threads", "1"]
    files = ["--json", str(target), "--log", str(file.parent / "logs" / "jobs.log")]
    article_table.main([str(file), *given, *files, *more])
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def names(measured: dict[str, Any], kind: str) -> list[str]:
    return [row["name"] for row in measured["splits"][kind]["rows"]]


def test_every_row_stands_in_both_tables(
    file: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = iter(range(1000))
    answers = ToldWriter(lambda _: f"1. In week {(n := next(numbers))} a baker on dose {n} of tolvex had a rash again.")
    monkeypatch.setattr(generate_examples, "_writer", lambda *_: answers)
    domain = ["--domain-encoder", str(encoder), "--domain-stage", "local"]
    measured = run(file, encoder, *domain, "--search-jobs", "2", "--synthetic", "4", "--generator", "bedrock:told")
    expected = [
        "TF-IDF + logistic regression",
        "tiny (base encoder)",
        "tiny (domain encoder)",
        "+ search (2 trainings)",
        "+ synthetic examples (4)",
    ]
    assert names(measured, "random") == names(measured, "grouped") == expected and measured["left_out"] == []
    shown = capsys.readouterr().out
    for kind, split in measured["splits"].items():
        _check(split)
        table = shown[shown.rindex(f"{kind.upper()} SPLIT") :]
        for row in split["rows"]:
            line = next(line for line in table.splitlines() if line.startswith(f"{row['name']}  "))
            assert f"{row['scores']['f1']['value']:.3f}" in line.split()
    assert measured["splits"]["grouped"]["overlap"]["all"]["trained on"] == {
        "records": 36, "texts": 0.0, "articles": 0.0
    }  # fmt: skip
    assert measured["splits"]["random"]["overlap"][POSITIVE]["not tested on"]["articles"] > 0


def _check(split: dict[str, Any]) -> None:
    """What holds of every table with all rows."""
    floor, base, domain, searched, synthetic = split["rows"]
    assert {tuple(row["differences"]) for row in (base, floor)} == {(floor["name"],), ()}
    assert list(searched["differences"]) == [floor["name"], domain["name"]]
    assert list(synthetic["differences"]) == [floor["name"], searched["name"]]
    for row in split["rows"]:
        assert sum(row["confusion"].values()) == sum(split["texts"]["test"].values())
        for metric in ("precision", "recall", "f1", "average_precision", "auroc"):
            found = row["scores"][metric]
            assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    # The same encoder by the same settings is the same model.
    assert base["scores"] == domain["scores"] and base["settings"]["pooling"] == "mean"
    best = max(split["search"], key=lambda trial: trial["f1"])
    tried = ("learning_rate", "max_seq_length", "train_batch_size")
    assert all(searched["settings"][name] == synthetic["settings"][name] == best[name] for name in tried)
    assert split["synthetic"]["kept"] == 4


def test_what_is_left_out_is_said(file: Path, encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--splits", "grouped", "--search-jobs", "0", "--generator", str(file.parent), "--sentences", "60"]
    measured = run(file, encoder, *given, "--domain-encoder", str(file.parent))
    assert names(measured, "grouped") == ["TF-IDF + logistic regression", "tiny (base encoder)"]
    domain, search, synthetic = measured["left_out"]
    assert domain.startswith(f"the domain encoder {file.parent}: config.json is missing")
    assert search == "search (grouped split): not asked for (--search-jobs)"
    assert synthetic.startswith("synthetic examples (grouped split): ")
    shown = capsys.readouterr().out
    assert all(f"Left out: {reason}" in shown for reason in measured["left_out"])
    assert sum(measured["splits"]["grouped"]["texts"]["train"].values()) == 60


def test_without_a_domain_encoder_the_search_goes_on_from_the_base(file: Path, encoder: Path) -> None:
    measured = run(file, encoder, "--splits", "random", "--search-jobs", "1", "--synthetic", "0")
    assert names(measured, "random")[1:] == ["tiny (base encoder)", "+ search (1 trainings)"]
    assert measured["left_out"][0].startswith("the domain encoder: none was given (--domain-encoder); what follows")
    assert measured["left_out"][1] == "synthetic examples (random split): not asked for (--synthetic)"


def test_development_asks_no_text_of_the_test_side(file: Path, encoder: Path) -> None:
    given = ["--splits", "grouped", "--search-jobs", "0", "--synthetic", "0"]
    test, development = (run(file, encoder, *given, "--part", part) for part in ("test", "development"))
    counted = [sum(one["splits"]["grouped"]["texts"]["test"].values()) for one in (test, development)]
    assert counted[0] == 36 and counted[1] == pytest.approx(0.2 * (180 - 36), abs=2)


def test_a_file_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(SystemExit, match=r"UploadError: .*none\.jsonl: there is no such file"):
        article_table.main([str(tmp_path / "none.jsonl"), "--log", str(tmp_path / "log")])
    with pytest.raises(SystemExit, match=r"ModelError: "):
        (tmp_path / "texts.jsonl").write_text(json.dumps({"text": "A rash.", "label": 1}), encoding="utf-8")
        run(tmp_path / "texts.jsonl", tmp_path)
