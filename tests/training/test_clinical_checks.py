"""Clinical checks on invented notes: what ROUGE does not see, and where the rules must stay silent."""

import pytest

from training.clinical_checks import NEGATION, NUMBER, SEVERITY, SIDE, TERM, InputFacts, clinical_errors
from training.quantities import readable, stated
from training.rouge import rouge_f1

NOTE = (
    "Mr. Alder, 76 years old, has a history of myocardial infarction and COPD. There is a small effusion on the left "
    "and severe pneumonia in the right lower lobe. No fever. He denies chest pain. Blood pressure was 130/80 mmHg, the "
    "nodule measures 1.4 cm. He takes metoprolol 25 mg twice daily."
)
SUMMARY = (
    "76-year-old with prior MI and COPD, small left effusion and severe right pneumonia, no fever or chest pain, BP "
    "130/80, a 14 mm nodule, on metoprolol 25 mg."
)


def found(note: str, answer: str) -> set[tuple[str, str]]:
    return {(error.check, error.passage) for error in clinical_errors(InputFacts.read(note), answer)}


def checks(note: str, answer: str) -> set[str]:
    return {check for check, _ in found(note, answer)}


def test_a_faithful_summary_passes() -> None:
    assert found(NOTE, SUMMARY) == set()
    assert found(NOTE, NOTE) == set()
    assert found(NOTE, "") == set()


@pytest.mark.parametrize(
    ("right", "wrong", "check", "passage"),
    [
        ("no fever or chest pain", "fever but no chest pain", NEGATION, "fever"),
        ("small left effusion", "small right effusion", SIDE, "small right effusion"),
        ("small left effusion", "small bilateral effusion", SIDE, "small bilateral effusion"),
        ("severe right pneumonia", "mild right pneumonia", SEVERITY, "mild right pneumonia"),
        ("25 mg", "250 mg", NUMBER, "250 mg"),
        ("14 mm", "14 cm", NUMBER, "14 cm"),
        ("130/80", "130/90", NUMBER, "90"),
        ("metoprolol", "amiodarone", TERM, "amiodarone"),
        ("COPD", "asthma", TERM, "asthma"),
    ],
)
def test_one_wrong_word_is_found_where_rouge_sees_nothing(right: str, wrong: str, check: str, passage: str) -> None:
    answer = SUMMARY.replace(right, wrong)
    assert rouge_f1(answer, SUMMARY).rouge_l > 0.85
    assert (check, passage) in found(NOTE, answer)
    assert checks(NOTE, answer) == {check}


def test_a_flipped_negation_has_a_high_rouge_and_is_an_error() -> None:
    reference, answer = "No pneumonia on the left.", "Pneumonia on the left."
    assert rouge_f1(answer, reference).rouge_l > 0.8
    assert checks(reference, answer) == {NEGATION}
    assert checks(answer, reference) == {NEGATION}


@pytest.mark.parametrize(
    ("note", "answer"),
    [
        # Other names of the same.
        ("History of heart attack and high blood pressure.", "MI, HTN."),
        ("Chronic obstructive pulmonary disease, short of breath.", "COPD with dyspnea."),
        ("He was given C P A P for sleep apnea and has C O P D.", "COPD, OSA."),
        # A class of a drug that was given.
        ("She was started on furosemide and ceftriaxone.", "Diuretics and antibiotics."),
        # Denied by the answer, and not named: it may follow from what the input says otherwise.
        ("Lungs are clear.", "No pneumonia."),
        # Neither side of these is certain.
        ("Any fever? No.", "No fever."),
        ("Any fever? Yes.", "Fever."),
        ("Possible pneumonia.", "No pneumonia."),
        ("Her mother had a stroke.", "No stroke."),
        ("No fever now. Fever last week.", "Fever."),
        ("Earlier pneumonia has resolved.", "No pneumonia."),
        # The reach of a negation.
        ("Denies fever and reports a cough.", "Cough, no fever."),
        ("No fever, but cough.", "Cough without fever."),
        ("No change in the effusion.", "Effusion."),
        ("Pneumonia, treated with morphine. No fever.", "No fever, pneumonia, morphine."),
        ("She denies fever, cough, and vomiting.", "No cough, fever or vomiting."),
        ("Pregnancy test was negative.", "Negative pregnancy test."),
        ("Pneumonia was ruled out.", "No pneumonia."),
        ("Free of pain since noon.", "Pain-free."),
        ("Headache is gone.", "No headache."),
        ("Background of cirrhosis. No thoughts of self-harm.", "No SI (bg cirrhosis)."),
        ("Presents with chest pain, troponin negative.", "Chest pain."),
        ("COVID negative, fever 38.9 and cough.", "Fever and cough."),
        ("Pneumonia, ruled out since.", "No pneumonia."),
        ("No known drug allergies.", "No allergies."),
        ("No known history of diabetes.", "No diabetes."),
        ("He was not given heparin.", "No heparin."),
        ("CXR not consistent with pneumonia.", "No pneumonia."),
        ("CXR w/o consolidation, CT neg for fracture.", "No consolidation, no fracture."),
        ("Abdomen soft, non-tender.", "No tenderness."),
        ("Non-small cell lung cancer.", "Lung cancer."),
        ("No increase in the pleural effusion.", "Pleural effusion."),
        ("No worsening of heart failure.", "Heart failure."),
        # Sides and severities.
        ("Effusion on the left. Effusion on the right.", "Bilateral effusions."),
        ("Pain in the left knee and the right hip.", "Left knee and right hip pain."),
        ("He left the ward with right knee pain.", "Right knee pain."),
        ("Small bowel obstruction.", "Small bowel obstruction."),
        ("Tenderness, severe on the right.", "Severe right tenderness."),
        ("Left pleural effusion, dyspnea.", "Left effusion, dyspnea, seen by RT."),
        ("Right pleural effusion.", "Right effusion, chest tube left in place."),
        # Numbers.
        ("He is seventy six years old.", "76-year-old man."),
        ("Blood pressure one twenty over eighty.", "BP 120/80."),
        ("Seen on August twenty seventh two thousand three.", "Seen on 08/27/2003."),
        ("For two weeks.", "For 14 days."),
        ("Weight 1,200 g.", "1.2 kg."),
        ("Give .5 mg digoxin.", "Digoxin 0.5 mg."),
        ("Vancomycin 15 mg per kg.", "Vancomycin 15 mg/kg."),
        ("Fever for three days.", "Fever x3 days."),
        ("A man of 63.", "63M."),
        ("Nodule.", "1. Nodule. 2. No change."),
        ("ST elevation, type B.", "ST elevation in V1-V4, the 4th time, in his 70s, q6h."),
    ],
)
def test_what_is_said_otherwise_or_not_certain_is_no_error(note: str, answer: str) -> None:
    assert found(note, answer) == set()


@pytest.mark.parametrize(
    ("note", "answer", "check"),
    [
        ("Steroids were given.", "Prednisone was given.", TERM),
        ("Effusion.", "Left effusion.", SIDE),
        ("Effusion.", "Large effusion.", SEVERITY),
        ("Left-sided weakness of the arm.", "Right-sided weakness.", SIDE),
        ("Mild gait unsteadiness.", "Severe gait unsteadiness.", SEVERITY),
        ("He is seventy six years old.", "67 years old.", NUMBER),
        ("Never had seizures.", "Seizures.", NEGATION),
        ("She denies fever, cough, and vomiting.", "Vomiting.", NEGATION),
        ("No fever, cough or vomiting.", "Cough.", NEGATION),
        ("She doesn't have diabetes.", "Diabetes.", NEGATION),
        ("Blood cultures were taken.", "Sepsis.", TERM),
        ("Stay of 3 days.", "Stay of three weeks.", NUMBER),
        ("COVID negative, fever 38.9 and cough.", "No fever.", NEGATION),
        ("No fever.", "COVID negative, fever.", NEGATION),
        ("No known drug allergies.", "Drug allergies.", NEGATION),
        ("He was not given heparin.", "Given heparin.", NEGATION),
        ("CXR w/o consolidation.", "Consolidation.", NEGATION),
        ("CT neg for fracture.", "Fracture.", NEGATION),
        ("Abdomen soft, non-tender.", "Abdomen tender.", NEGATION),
        ("Give .5 mg digoxin.", "Digoxin 5 mg.", NUMBER),
        ("Give 5 mg digoxin.", "Digoxin .5 mg.", NUMBER),
        ("She is 65yo.", "56yo.", NUMBER),
        ("Fever x3 days.", "Fever x9 days.", NUMBER),
        ("Vancomycin 15 mg/kg.", "Vancomycin 51mg/kg.", NUMBER),
        ("KCl 20 mEq.", "KCl 40mEq.", NUMBER),
        ("Oxygen 4 L/min.", "Oxygen 7L/min.", NUMBER),
        ("Heparin 5000 units.", "Heparin 9000u.", NUMBER),
        ("CT abdomen: the appendix is normal, gallbladder too.", "Appendicitis.", TERM),
        ("CT abdomen: the appendix is normal, gallbladder too.", "Cholecystectomy.", TERM),
        ("PE: lungs clear.", "Pulmonary embolism.", TERM),
        ("HD 3 after a fall.", "Dialysis.", TERM),
        ("Body mass index 32.", "Mass.", TERM),
    ],
)
def test_what_the_input_does_not_hold_is_an_error(note: str, answer: str, check: str) -> None:
    assert checks(note, answer) == {check}


@pytest.mark.parametrize(
    "text",
    [
        *("Temp 38.5C on arrival.", "Given 2.5mg/kg enoxaparin.", "0.05mcg/kg/min", "12.5mg/d", "2.5x3.1cm", "98.6F"),
        *("3.4mEq.", "WBC 12.3K/uL", "1.5L/day", "1,000mL/h", "x3", ".5 mg", "q6h", "65yo"),
    ],
)
def test_a_text_has_no_error_against_itself(text: str) -> None:
    assert found(text, text) == set()


def test_what_stands_twice_is_said_once() -> None:
    errors = clinical_errors(InputFacts.read("Cough."), "Asthma. He has asthma, and asthma again.")
    assert [(error.check, error.passage.lower()) for error in errors] == [(TERM, "asthma"), (TERM, "asthma")]
    assert len(set(errors)) == len(errors)


def test_an_abbreviation_counts_only_as_it_is_written() -> None:
    assert checks("Cough.", "History of MI.") == {TERM}
    assert found("Cough.", "From Mi casa.") == set()


def test_a_long_note_is_read_whole() -> None:
    note = "The ward was quiet. " * 20_000 + "Heparin was started."
    assert found(note, "Heparin.") == set()
    assert checks(note, "Warfarin.") == {TERM}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("one hundred thirty six", {136}),
        ("nineteen ninety four", {1994, 94, 19}),
        ("two thousand three", {2003}),
        ("ninety eight point six", {98.6}),
        ("one twenty over eighty", {120, 80}),
    ],
)
def test_numbers_in_words_are_read_in_every_way(text: str, values: set[float]) -> None:
    assert values <= {quantity.value for quantity in readable(text)}


def test_stated_numbers_have_their_units() -> None:
    text = "1.4 cm, 98.6°f, 5mg, 1,200 ml, 10-20 mg, 3 days, 350 mg/dl, 7"
    assert [(q.value, q.unit) for q in stated(text)] == [
        (1.4, "cm"),
        (98.6, "°f"),
        (5, "mg"),
        (1200, "ml"),
        (10, None),
        (20, "mg"),
        (3, "days"),
        (350, "mg/dl"),
        (7, None),
    ]
