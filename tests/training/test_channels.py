"""Channels of several models to start from."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.channels import channel_of
from training.errors import ArgumentError

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("monologg/biobert_v1.1_pubmed", "monologg--biobert_v1.1_pubmed"),
        ("emilyalsentzer/Bio_ClinicalBERT", "emilyalsentzer--Bio_ClinicalBERT"),
        ("bert-base-uncased", "bert-base-uncased"),
    ],
)
def test_a_model_has_a_channel_that_sagemaker_takes(name: str, channel: str) -> None:
    assert channel_of(name) == channel


@pytest.mark.parametrize(
    "name", ["", "/", "a/", "/b", "a/b/c", "..", "../model", "a--b", "a/..", "a b", "ä/b", ".hidden", "a/b\n"]
)
def test_what_is_no_models_name_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="model_name must be owner/name"):
        channel_of(name)


def test_a_name_too_long_for_a_channel_is_refused() -> None:
    assert len(channel_of("a/" + "b" * 61)) == 64
    with pytest.raises(ArgumentError, match="a channel of 65 characters, at most 64"):
        channel_of("a/" + "b" * 62)


def test_stacks_can_import_it_without_a_job_s_libraries() -> None:
    script = "import sys, training.channels; print(sorted({'torch', 'transformers', 'numpy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
