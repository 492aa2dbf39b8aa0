"""Shared by the tests of the Lambda functions."""

import io
import logging
from collections.abc import Iterator

import pytest

from lambdas.structured_log import structured_logger
from tests.lambdas.roll_out_world import World


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger as the functions have it, and what was written to it."""
    stream = io.StringIO()
    yield structured_logger("test", stream), stream
    logging.getLogger("test").handlers = []


@pytest.fixture
def world(log: tuple[logging.Logger, io.StringIO]) -> World:
    """roll_out with an empty SageMaker; modules about the other functions have a `world` of their own."""
    return World(log[0])
