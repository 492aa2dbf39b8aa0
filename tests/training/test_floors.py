import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from training import floors
from training.errors import EvaluationError
from training.floors import NearestReport, most_frequent_target


def test_constant_counts_spellings_of_one_text_together() -> None:
    targets = ["No acute disease.", "no  acute\ndisease.", "Stable.", "Stable.", "No acute disease."]
    assert most_frequent_target(targets) == "No acute disease."


def test_constant_settles_ties_by_text_order_whatever_the_order_of_records() -> None:
    targets = ["Pneumonia.", "Effusion.", "Pneumonia.", "Effusion.", "EFFUSION.", "pneumonia."]
    assert most_frequent_target(targets) == most_frequent_target(targets[::-1]) == "Effusion."


def test_constant_needs_a_target() -> None:
    with pytest.raises(EvaluationError, match="training split"):
        most_frequent_target([])


def test_nearest_answers_with_the_target_of_the_most_similar_input() -> None:
    inputs = ["the lungs are clear", "large left pleural effusion", "the heart is enlarged"]
    nearest = NearestReport(iter(inputs), ["Normal.", "Effusion.", "Cardiomegaly."], "Normal.")
    assert list(nearest.answers(["a small left effusion", "enlarged heart", "clear lungs"])) == [
        "Effusion.",
        "Cardiomegaly.",
        "Normal.",
    ]


def test_word_pairs_and_single_characters_count() -> None:
    inputs = ["nodule 3 mm right apex 5 cm mass left", "nodule 5 mm right apex 3 cm mass left"]
    nearest = NearestReport(inputs, ["first", "second"], "none")
    assert list(nearest.answers(["mass 5 cm", "mass 3 cm"])) == ["first", "second"]


def test_a_word_said_often_weighs_less_than_its_count() -> None:
    # The first input says "nodule" five times among 13 words and 17 pairs that were not asked for. By plain counts its
    # cosine would be 0.57 against the second one's 0.36; sublinear, it is 0.34.
    inputs = ["nodule a b nodule c d e nodule f g h nodule i j k nodule l m", "nodule right base", "clear lungs"]
    nearest = NearestReport(inputs, ["first", "second", "third"], "none")
    assert list(nearest.answers(["nodule"])) == ["second"]


def test_an_input_that_shares_no_word_gets_the_constant_answer() -> None:
    nearest = NearestReport(["clear lungs"], ["Normal."], "Constant.")
    assert list(nearest.answers(["unrelated words", "", "lungs"])) == ["Constant.", "Constant.", "Normal."]


def test_equally_similar_inputs_are_settled_by_training_order() -> None:
    nearest = NearestReport(["clear lungs", "clear lungs", "an effusion"], ["first", "second", "third"], "none")
    assert list(nearest.answers(["lungs clear"])) == ["first"]


@pytest.mark.parametrize(("queries_at_a_time", "training_at_a_time"), [(256, 100_000), (3, 100_000), (256, 4), (2, 7)])
def test_blocks_find_what_the_whole_matrix_finds(
    monkeypatch: pytest.MonkeyPatch, queries_at_a_time: int, training_at_a_time: int
) -> None:
    places, signs = ["left", "right", "upper", "lower"], ["opacity", "effusion", "nodule", "fracture", "edema"]
    inputs = [f"{place} {sign} seen, {n} mm" for n, place in enumerate(places) for sign in signs]
    queries = [f"{sign} of the {place} side" for sign in signs for place in places]
    targets = [str(number) for number in range(len(inputs))]
    monkeypatch.setattr(floors, "_QUERIES_AT_A_TIME", queries_at_a_time)
    monkeypatch.setattr(floors, "_TRAINING_AT_A_TIME", training_at_a_time)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    matrix = vectorizer.fit_transform(inputs)
    expected = cosine_similarity(vectorizer.transform(queries), matrix).argmax(axis=1)
    found = list(NearestReport(inputs, targets, "none").answers(queries))
    assert found == [targets[record] for record in expected]
    assert len(set(found)) == len(inputs)


@pytest.mark.parametrize("inputs", [[], ["...", "---"]])
def test_nearest_needs_words(inputs: list[str]) -> None:
    with pytest.raises(EvaluationError, match="no training input holds a word"):
        NearestReport(inputs, ["target"] * len(inputs), "none")


def test_nearest_refuses_inputs_without_targets() -> None:
    with pytest.raises(EvaluationError, match="2 training inputs but 1 targets"):
        NearestReport(["clear lungs", "an effusion"], ["Normal."], "none")
