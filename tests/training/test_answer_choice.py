"""How the answer is chosen among candidates, and how the weights of what it is chosen by are learnt."""

from pathlib import Path

import numpy as np
import pytest

from training.answer_choice import EQUAL, VIEWS, AnswerChoice, Asked, views
from training.errors import RetrievalError
from training.expected_words import ExpectedWords
from training.learn_choice import learn_shares
from training.retrieval import Similar
from training.splits import Record

NORMAL, MASS = "No acute disease.", "A large mass."
SIMILAR = [Similar("1", 0.9, NORMAL), Similar("2", 0.9, "No acute disease"), Similar("3", 0.2, MASS)]
DRAWN = [MASS, MASS, "A mass.", MASS]


def test_each_view_alone_chooses_what_it_expects() -> None:
    asked = Asked(DRAWN, SIMILAR, None)
    assert AnswerChoice((1.0, 0.0, 0.0, 0.0)).best(asked) == NORMAL
    assert AnswerChoice((0.0, 0.0, 0.0, 1.0)).best(asked) == MASS


def test_without_similar_reports_the_samples_have_all_the_say() -> None:
    assert AnswerChoice((1.0, 0.0, 0.0, 0.1)).best(Asked(DRAWN, [], None)) == MASS


def test_views_are_expected_f1() -> None:
    records = [Record(f"{n}", f"Round shadow {n}.", "Mass.") for n in range(9)]
    expected = ExpectedWords.learn(records).of(["Round shadow."])[0]
    table = views([NORMAL, "Mass."], Asked(["Mass.", "Mass.", NORMAL], SIMILAR[:2], expected))
    assert table.shape == (2, len(VIEWS))
    assert ((table >= 0) & (table <= 1)).all()
    np.testing.assert_allclose(table[:, 0], [1.0, 0.0])
    np.testing.assert_allclose(table[:, 1:3], [[0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(table[:, 3], [0.5, 0.5])


def test_learnt_weights_follow_the_view_that_is_right() -> None:
    asked = [Asked(DRAWN, SIMILAR, None)] * 60
    of_similar = dict(zip(VIEWS, learn_shares(asked, [NORMAL] * 60), strict=True))
    of_samples = dict(zip(VIEWS, learn_shares(asked, [MASS] * 60), strict=True))
    assert of_similar["similar"] > 5 * of_similar["samples"]
    assert of_samples["samples"] > 5 * of_samples["similar"]


def test_a_few_records_hardly_move_the_weights() -> None:
    shares = learn_shares([Asked(DRAWN, SIMILAR, None)], [NORMAL])
    assert shares != EQUAL
    np.testing.assert_allclose(shares, EQUAL, atol=0.15)


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    records = [Record(f"{n}", f"Shadow {n % 3}.", ["Mass.", "Nodule.", NORMAL][n % 3]) for n in range(12)]
    choice = AnswerChoice((0.1, 0.2, 0.3, 0.4), ExpectedWords.learn(records))
    choice.save(tmp_path / "choice")
    again = AnswerChoice.load(tmp_path / "choice")
    assert again.shares == choice.shares
    asked, asked_again = (
        Asked(["Mass.", NORMAL, "Nodule."], SIMILAR, some.expectations(["Shadow 1."])[0]) for some in (choice, again)
    )
    candidates = asked.candidates
    np.testing.assert_array_equal(views(candidates, asked), views(candidates, asked_again))


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"similar": null}'])
def test_damaged_weights_are_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "answer_choice.json").write_text(content)
    with pytest.raises(RetrievalError, match="missing or damaged"):
        AnswerChoice.load(tmp_path)
