"""Tiny models for all tests of this folder."""

from pathlib import Path

import pytest
import torch
from transformers.utils import logging as transformers_logging

from tests.training.tiny_encoder import build_tiny_encoder, fine_tune_tiny_encoder, write_labelled_splits
from tests.training.tiny_model import build_tiny_model


@pytest.fixture(scope="session")
def tiny_model_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory of a tiny random T5. Do not write into it."""
    # A tiny model is slower on two threads than on one, and the tests run in several processes.
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    return build_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def answering_model_directory(tiny_model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after some training, so that it gives different texts different answers. Do not write into it."""
    return build_tiny_model(tmp_path_factory.mktemp("answering") / "model", steps=60)


@pytest.fixture(scope="session")
def tiny_encoder_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory of a tiny random BERT. Do not write into it."""
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    return build_tiny_encoder(tmp_path_factory.mktemp("encoder") / "model")


@pytest.fixture(scope="session")
def trained_classifier(tiny_encoder_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What FineTune leaves of it, and its log. Do not write into it."""
    folder = write_labelled_splits(tmp_path_factory.mktemp("classifier"))
    return folder, fine_tune_tiny_encoder(folder, tiny_encoder_directory)


@pytest.fixture(scope="session")
def sure_classifier(tiny_encoder_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory that was trained for longer: nearly 0 or nearly 1 of such texts. Do not write into it."""
    folder = write_labelled_splits(tmp_path_factory.mktemp("sure"), train=96)
    fine_tune_tiny_encoder(folder, tiny_encoder_directory, learning_rate=8e-3, epochs=8.0)
    return folder / "model"
