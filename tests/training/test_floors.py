import json
from pathlib import Path

import pytest

from training.errors import EvaluationError, RetrievalError
from training.floors import Floors, lead, mean_sentences, most_frequent_target
from training.retrieval import SimilarReports
from training.splits import Record, read_split
from training.table_schemas import CONSENSUS, CONSTANT, FLOORS, LEAD, NEAREST

PAIRS = [
    ("the lungs are clear", "Normal."),
    ("large left pleural effusion", "Effusion. Drain."),
    ("the heart is enlarged", "Cardiomegaly."),
    ("the heart is not enlarged", "Normal."),
]


def split(folder: Path, pairs: list[tuple[str, str]] = PAIRS) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [{"id": f"id{i}", "input": text, "target": target} for i, (text, target) in enumerate(pairs)]
    (folder / "part-00000.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def answers_of(floors: Floors, inputs: list[str]) -> dict[str, list[str]]:
    return floors.predictions(inputs, floors.similar(inputs))


def test_constant_counts_spellings_of_one_text_together() -> None:
    targets = ["No acute disease.", "no  acute\ndisease.", "Stable.", "Stable.", "No acute disease."]
    assert most_frequent_target(targets) == "No acute disease."


def test_constant_settles_ties_by_text_order_whatever_the_order_of_records() -> None:
    targets = ["Pneumonia.", "Effusion.", "Pneumonia.", "Effusion.", "EFFUSION.", "pneumonia."]
    assert most_frequent_target(targets) == most_frequent_target(targets[::-1]) == "Effusion."


def test_lead_has_as_many_sentences_as_a_target_has_on_average() -> None:
    assert mean_sentences(["One.", "One. Two.", "One. Two. Three.", "One. Two."]) == 2
    assert mean_sentences(["One.", "One.", "One. Two."]) == 1
    assert mean_sentences([""]) == 1
    text = "The heart is enlarged by approx. 2 cm. Lungs are clear. No effusion."
    assert lead(text, 2) == "The heart is enlarged by approx. 2 cm. Lungs are clear."
    assert lead("One sentence", 3) == "One sentence"


def test_every_floor_answers_in_order(tmp_path: Path) -> None:
    inputs = ["A small left effusion. No pleural effusion on the right.", "the heart appears enlarged. No effusion"]
    answers = answers_of(Floors.learn(split(tmp_path / "train")), inputs)
    assert tuple(answers) == FLOORS
    assert answers[CONSTANT] == ["Normal.", "Normal."]
    assert answers[LEAD] == ["A small left effusion.", "the heart appears enlarged."]
    assert answers[NEAREST] == ["Effusion. Drain.", "Cardiomegaly."]


def test_consensus_is_what_several_similar_reports_say(tmp_path: Path) -> None:
    pairs = [
        ("opacity in left base today", "Fracture."),
        *[(f"opacity in left base view {i}", "Left basilar opacity.") for i in range(4)],
        ("a base of some other kind", "Normal."),
        *[(f"unrelated words number {i}", "Normal.") for i in range(9)],
    ]
    answers = answers_of(Floors.learn(split(tmp_path / "train", pairs)), ["opacity in left base"])
    assert (answers[NEAREST], answers[CONSENSUS]) == (["Fracture."], ["Left basilar opacity."])


def test_a_text_that_shares_no_word_gets_the_constant_answer(tmp_path: Path) -> None:
    answers = answers_of(Floors.learn(split(tmp_path / "train")), ["unrelated words", "", "lungs"])
    assert answers[NEAREST] == answers[CONSENSUS] == ["Normal."] * 3


def test_a_given_index_is_asked_in_place_of_a_new_one(tmp_path: Path) -> None:
    train = split(tmp_path / "train")
    SimilarReports.build(Record(r.id, r.input, r.target.upper()) for r in read_split(train)).save(tmp_path / "index")
    answers = answers_of(Floors.learn(train, tmp_path / "index"), ["an effusion"])
    assert answers[NEAREST] == ["EFFUSION. DRAIN."]
    with pytest.raises(RetrievalError, match="missing or damaged"):
        Floors.learn(train, tmp_path / "nowhere")


def test_an_index_of_other_records_is_refused(tmp_path: Path) -> None:
    SimilarReports.build(read_split(split(tmp_path / "other", PAIRS[:2]))).save(tmp_path / "index")
    with pytest.raises(EvaluationError, match="index of similar reports holds 2 records, the training split 4"):
        Floors.learn(split(tmp_path / "train"), tmp_path / "index")


def test_floors_need_records_with_words(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="training split holds no records"):
        Floors.learn(split(tmp_path / "train", []))
    with pytest.raises(RetrievalError, match="no training input holds a word"):
        Floors.learn(split(tmp_path / "train", [("...", "Normal.")]))
