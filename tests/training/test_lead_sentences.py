"""The handler that ships as an example of a candidate of one's own."""

import importlib.util
from types import ModuleType

import pytest

from stacks.config import TASKS_FOLDER


@pytest.fixture(scope="module")
def handler() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "lead_sentences", TASKS_FOLDER / "handlers/lead_sentences/inference.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("note", "summary"),
    [
        ("Slept well. Ate half of it. Walked twice.", "Slept well. Ate half of it."),
        ("Pain at 3.5 of 10, gave p.r.n. dose.  No fall! Calm.", "Pain at 3.5 of 10, gave p.r.n. dose. No fall!"),
        ("NURSING NOTE\n\nSlept\nwell. Ate.", "NURSING NOTE Slept well."),
        ("one sentence without an end", "one sentence without an end"),
        (" \n", ""),
    ],
)
def test_a_summary_is_the_first_two_sentences(handler: ModuleType, note: str, summary: str) -> None:
    model = handler.model_fn("/opt/ml/model")
    assert handler.predict_fn({"inputs": [note, "Calm."]}, model) == [
        {"generated_text": summary},
        {"generated_text": "Calm."},
    ]
