"""Sentences, and which conclusions read as normal. All texts are invented."""

import random

import pytest

from training.report_text import reads_as_normal, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No effusion. Heart is normal.", ["No effusion.", "Heart is normal."]),
        ("no effusion. heart is normal.", ["no effusion.", "heart is normal."]),
        ("1. No effusion.\n2. A 1.4 cm nodule.", ["1. No effusion.", "2. A 1.4 cm nodule."]),
        ("1. Nodule 2. Effusion 3) Edema", ["1. Nodule", "2. Effusion", "3) Edema"]),
        ("Nodule in segment 2. The rest is clear.", ["Nodule in segment 2.", "The rest is clear."]),
        (
            "Told to Dr. J. Miller at 3:40 p.m. by phone. Done.",
            ["Told to Dr. J. Miller at 3:40 p.m. by phone.", "Done."],
        ),
        ("Scar vs. nodule, e.g. in the apex. CT.", ["Scar vs. nodule, e.g. in the apex.", "CT."]),
        ("Size of 1.5 cm. Stable.", ["Size of 1.5 cm.", "Stable."]),
        ("No abnormality. . Stable..", ["No abnormality. .", "Stable.."]),
        ("See ___. ___ was told.", ["See ___.", "___ was told."]),
        ("Is it new? Yes! Really.", ["Is it new?", "Yes!", "Really."]),
        ("no end", ["no end"]),
        ("  \n ", []),
    ],
)
def test_sentences(text, expected):
    assert sentences(text) == expected


def test_sentences_lose_and_add_nothing():
    chance = random.Random(1)
    pieces = [
        "1.",
        "2.",
        "No",
        "effusion.",
        "Dr.",
        "1.4",
        "cm.",
        ".",
        "...",
        "___",
        "(see",
        "3)",
        "e.g.",
        "\n",
        "A.",
        "?",
    ]
    for _ in range(500):
        text = " ".join(chance.choices(pieces, k=chance.randrange(15)))
        assert " ".join(sentences(text)).split() == text.split()
        assert all(sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "No acute cardiopulmonary process.",
        "1. No evidence of pneumonia. 2. No pleural effusion, pneumothorax, or focal consolidation.",
        "Normal chest radiograph.",
        "NEGATIVE CHEST",
        "Clear lungs with no effusion.",
        "Heart size within normal limits. Lungs are clear.",
        "No acute abnormality. Stable chest.",
        "Compared with the study of ___. No acute findings.",
        "Unremarkable chest. No change since ___.",
        "The heart is not enlarged.",
        "Earlier opacity has resolved and is no longer seen. No acute findings.",
        "Lungs are clear without infiltrate, and there is no effusion.",
    ],
)
def test_reads_as_normal(text):
    assert reads_as_normal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "___.",
        "Stable cardiomegaly.",
        "No acute process, stable cardiomegaly.",
        "No acute process. Unchanged cardiomegaly.",
        "1. No acute process. 2. A 1.4 cm nodule in the right upper lobe.",
        "Emphysema without acute disease.",
        "Low lung volumes, otherwise clear.",
        "No pneumothorax but a small left effusion.",
        "Normal heart size and small bilateral effusions.",
        "No change in the left effusion.",
        "No significant interval change in moderate edema.",
        "Pneumonia cannot be excluded.",
        "It is not clear whether pneumonia is present.",
        "No acute disease. Follow-up CT is recommended.",
        "Line tip in the right atrium.",
        "Normal chest apart from scoliosis.",
    ],
)
def test_does_not_read_as_normal(text):
    assert not reads_as_normal(text)
