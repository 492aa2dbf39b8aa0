from collections.abc import Callable
from pathlib import Path

import pytest

from training.readers import read_upload
from training.readers.fields import field_pairs
from training.readers.upload import Limits, Upload
from training.records import Record, SetAside


@pytest.fixture
def upload(tmp_path: Path) -> Callable[..., Upload]:
    """Makes an uploaded file from a name and its bytes."""

    def make(name: str, content: bytes, limits: Limits | None = None) -> Upload:
        path = tmp_path / name
        path.write_bytes(content)
        return Upload(path, name, field_pairs("findings", "impression"), limits or Limits())

    return make


@pytest.fixture
def read(upload: Callable[..., Upload]) -> Callable[..., tuple[list[Record], list[SetAside]]]:
    """Reads a file made from a name and its bytes: its records, and what was set aside."""

    def run(name: str, content: bytes, limits: Limits | None = None) -> tuple[list[Record], list[SetAside]]:
        items = list(read_upload(upload(name, content, limits)))
        return (
            [item for item in items if isinstance(item, Record)],
            [item for item in items if isinstance(item, SetAside)],
        )

    return run
