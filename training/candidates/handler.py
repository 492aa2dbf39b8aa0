"""Somebody's own code as a candidate: a folder with `inference.py`, as the Hugging Face inference toolkit takes it.

    model_fn(model_dir)       the model, whatever that is; `model_dir` is the folder
    predict_fn(data, model)   `data` is {"inputs": [str, ...]}; the answer [{"generated_text": str}, ...] in order

It runs in the process that asks, so it may raise, hang or end that process: the supervisor outlives it. What it raises
is named by type and line alone, since the text of a foreign exception may quote a record.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from training.candidates.outcomes import Answers, UnansweredError, each_alone
from training.errors import GenerationError, ModelError
from training.generated_texts import generated_texts

TEXTS_A_CALL = 8
SCRIPT = "inference.py"
FUNCTIONS = ("model_fn", "predict_fn")


class HandlerCandidate:
    """A handler whose model is loaded."""

    def __init__(self, folder: Path, texts_a_call: int | None) -> None:
        """Import `inference.py` and load its model.

        Raises:
            ModelError: there is none, it lacks a function, or either raises.
        """
        self.texts_a_call = texts_a_call or TEXTS_A_CALL
        self._folder = folder = folder.resolve()
        module = _imported(folder)
        self._predict: Callable[[Any, Any], Any] = module.predict_fn
        with _foreign(folder, ModelError, "the handler's model_fn raised"):
            self._model = module.model_fn(str(folder))

    def ask(self, texts: Sequence[str]) -> Answers:
        return Answers(each_alone(self._ask, texts))

    def _ask(self, texts: Sequence[str]) -> list[str]:
        with _foreign(self._folder, UnansweredError, "the handler's predict_fn raised"):
            answer = self._predict({"inputs": list(texts)}, self._model)
        try:
            return generated_texts(answer, len(texts), "the handler's predict_fn")
        except GenerationError as error:
            raise UnansweredError(str(error), lasting=len(texts) == 1) from error


def _imported(folder: Path) -> ModuleType:
    script = folder / SCRIPT
    if not script.is_file():
        raise ModelError(f"the handler's folder holds no {SCRIPT}")
    sys.path.insert(0, str(folder))  # what it imports lies beside it
    spec = importlib.util.spec_from_file_location("candidate_inference", script)
    assert spec is not None and spec.loader is not None  # a .py file has both
    module = importlib.util.module_from_spec(spec)
    with _foreign(folder, ModelError, f"the handler's {SCRIPT} cannot be imported:"):
        spec.loader.exec_module(module)
    missing = [name for name in FUNCTIONS if not callable(getattr(module, name, None))]
    if missing:
        raise ModelError(f"the handler's {SCRIPT} has no {' and no '.join(missing)}")
    return module


@contextmanager
def _foreign(folder: Path, kind: type[GenerationError | ModelError], what: str) -> Iterator[None]:
    """Code that is not ours: it may raise anything, and nothing of what it says goes on."""
    try:
        yield
    except SystemExit as error:
        # A text would be printed as the process ends.
        raise SystemExit(error.code if isinstance(error.code, int) else 1) from None
    except BaseException as error:
        raise kind(f"{what} {_named(error, folder)}") from error


def _named(error: BaseException, folder: Path) -> str:
    """The type of what a handler raised, and where in its folder."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(Path(frame.filename), frame.lineno) for frame in frames if Path(frame.filename).is_relative_to(folder)]
    kind = type(error).__name__
    return f"{kind} in {places[-1][0].name}, line {places[-1][1]}" if places else kind
