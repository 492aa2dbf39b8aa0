"""An encoder as it comes, asked for what it makes of texts: nothing of it is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from training.errors import ModelError
from training.labels import Labels
from training.statistics import FloatArray
from training.text_classifier import check_length, load_encoder
from training.text_windows import Reading, TextWindows


class FrozenEncoder:
    """A loaded encoder that reads `max_input_tokens` of a text at once."""

    def __init__(self, encoder: Any, tokenizer: Any, max_input_tokens: int) -> None:
        self.max_input_tokens = max_input_tokens
        self._encoder = encoder
        self._windows = TextWindows(tokenizer, max_input_tokens)

    @classmethod
    def load(cls, directory: Path, labels: Labels, max_input_tokens: int) -> Self:
        """Load the encoder of a model directory onto the first GPU, or the CPU. Any head it has is left out.

        Raises:
            ModelError: the files cannot be loaded, or `max_input_tokens` is beyond the model's limit.
        """
        model, tokenizer, _ = load_encoder(directory, torch.float32, labels)
        check_length(model, tokenizer, max_input_tokens)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.base_model.to(device).eval(), tokenizer, max_input_tokens)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as token ids, in their order, whole."""
        return self._windows.read(texts)

    def features(self, readings: Sequence[Reading], batch_size: int) -> FloatArray:
        """Mean over the tokens of each text, in all of its windows, of the last hidden state (texts, width).

        Raises:
            ModelError: the encoder answers with something that is no number.
        """
        sums = np.zeros((len(readings), self._encoder.config.hidden_size))
        with torch.inference_mode():
            for batch in self._windows.batches(readings, batch_size, self._encoder.device):
                hidden = self._encoder(**batch.inputs).last_hidden_state.double()
                mask = batch.inputs["attention_mask"].unsqueeze(2)
                np.add.at(sums, batch.texts, (hidden * mask).sum(dim=1).cpu().numpy())
        tokens = [sum(len(window) for window in reading.windows) for reading in readings]
        found: FloatArray = sums / np.reshape(tokens, (-1, 1))
        if not np.isfinite(found).all():
            raise ModelError("the encoder's answer is not a number: its weights are damaged")
        return found
