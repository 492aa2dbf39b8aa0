"""The fast ROUGE-L against the package everybody uses, and where only the stemmer's own files travel."""

import importlib.util
import random
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest
from rouge_score import rouge_scorer

from training import minimum_bayes_risk, rouge_l
from training.rouge_l import STEMMER_FILES

WORDS = [
    "no", "acute", "cardiopulmonary", "abnormality", "abnormalities", "effusion", "effusions", "stable",
    "stabilised", "the", "of", "heart", "hearts", "enlarged", "enlargement", "consolidations", "dying", "skies",
    "news", "3", "3.5cm", "t12", "a", "I", "x-ray", "___", "(left)", "right;", "ï", "Ünchanged", "news,", "ups", "up",
]  # fmt: skip


def invented(chance: random.Random) -> str:
    if chance.random() < 0.02:
        return chance.choice(["", "___", ".", " \n"])
    drawn = [chance.choice(WORDS) for _ in range(chance.randint(1, 30))]
    if chance.random() < 0.3:
        drawn.append("".join(chance.choices(string.printable + "éßİ", k=chance.randint(1, 12))))
    return chance.choice([" ", "  ", "-", "\n"]).join(drawn)


def test_it_is_to_the_last_bit_what_rouge_score_gives() -> None:
    chance = random.Random(1)
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)
    texts = [invented(chance) for _ in range(600)]
    pairs = [(chance.choice(texts), chance.choice(texts)) for _ in range(5_000)]
    expected = [float(scorer.score(reference, prediction)["rougeL"].fmeasure) for prediction, reference in pairs]
    assert [rouge_l.rouge_l(*pair) for pair in pairs] == expected
    assert len(set(expected)) > 300


def test_more_words_than_a_machine_word_has_bits() -> None:
    long = " ".join(f"w{number}" for number in range(300))
    assert rouge_l.rouge_l(long, long) == 1
    assert rouge_l.rouge_l(long, " ".join(reversed(long.split()))) == pytest.approx(1 / 300)


def test_an_endpoint_needs_four_files_of_nltk(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("nltk")
    assert spec is not None and spec.origin is not None
    for name in STEMMER_FILES:
        target = tmp_path / "nltk" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(spec.origin).parent / name, target)
        (target.parent / "__init__.py").touch()
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "__init__.py").touch()
    for module in (rouge_l, minimum_bayes_risk):
        assert module.__file__ is not None
        shutil.copy(module.__file__, tmp_path / "training")
    script = (
        "import sys; from training.minimum_bayes_risk import choose; from training.rouge_l import rouge_l; "
        "print(rouge_l('no effusions', 'effusion'), choose(['a', 'b'], ['b'], [1])); "
        "print([m for m in sys.modules if m.startswith('nltk')]); assert 'numpy' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    score, modules = ended.stdout.splitlines()
    assert score == f"{rouge_l.rouge_l('no effusions', 'effusion')} 1"
    assert "nltk.tokenize" not in modules
