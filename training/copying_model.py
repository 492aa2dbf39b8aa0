"""A small encoder-decoder that can copy: each next token is either written or taken over from the input.

A pointer-generator (See et al. 2017, "Get To The Point") of LSTMs: what is copied is added up over the places of the
input where the same token stands, so a phrase that the findings and several similar impressions share is likely, and a
word that was never seen in training can be answered. It learns from a few thousand pairs in minutes on a CPU, where a
transformer of the same size hardly learns to read its input.

It goes through transformers' own interfaces. `logits` are the log-probabilities of the mixture, so a softmax over them
changes nothing. Importing this module registers the model with AutoConfig and AutoModelForSeq2SeqLM.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from transformers import AutoConfig, AutoModelForSeq2SeqLM, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput, Seq2SeqLMOutput

IGNORED = -100
# Keeps the logarithm of a token that can neither be written nor copied finite.
SMALLEST_PROBABILITY = 1e-9
READING_SCALE = 3.0


class CopyingConfig(PretrainedConfig):
    """`width` of the embeddings, `hidden` of the states (even). Every `separator_token_id` in the input begins a new
    segment; segments from number `segments` on share one embedding. `dropout` in [0, 1)."""

    model_type = "copying"
    keys_to_ignore_at_inference = ("past_key_values",)

    def __init__(
        self,
        vocab_size: int = 4096,
        width: int = 128,
        hidden: int = 256,
        encoder_layers: int = 1,
        segments: int = 8,
        dropout: float = 0.3,
        agreement: bool = True,
        pad_token_id: int = 0,
        eos_token_id: int = 1,
        decoder_start_token_id: int = 0,
        separator_token_id: int | None = None,
        **rest: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.width = width
        self.hidden = hidden
        self.encoder_layers = encoder_layers
        self.segments = segments
        self.dropout = dropout
        self.agreement = agreement
        self.separator_token_id = separator_token_id
        self.use_cache = True
        super().__init__(
            **{
                **rest,
                "is_encoder_decoder": True,
                "tie_word_embeddings": False,
                "pad_token_id": pad_token_id,
                "eos_token_id": eos_token_id,
                "decoder_start_token_id": decoder_start_token_id,
            }
        )


@dataclass
class EncoderOutput(ModelOutput):
    """`last_hidden_state` (batch, source, hidden); `source_ids` (batch, source): what can be copied."""

    last_hidden_state: torch.Tensor | None = None
    source_ids: torch.Tensor | None = None


class DecoderState:
    """What the decoder remembers of the tokens before, in place of keys and values: `hidden`, `cell` (1, batch, hidden)
    and how many tokens that were."""

    is_compileable = False

    def __init__(self, hidden: torch.Tensor, cell: torch.Tensor, length: int) -> None:
        self.hidden = hidden
        self.cell = cell
        self.length = length

    def get_seq_length(self, layer: int = 0) -> int:  # noqa: ARG002  # as transformers calls it
        return self.length

    def reorder_cache(self, beams: torch.Tensor) -> None:
        """Let beam i go on from where beam `beams[i]` is."""
        self.hidden = self.hidden.index_select(1, beams)
        self.cell = self.cell.index_select(1, beams)


class CopyingEncoder(nn.Module):
    """Reads the input in both directions; its `words` are also the decoder's.

    Padding changes nothing, so an answer does not depend on its batch.
    """

    main_input_name = "input_ids"

    def __init__(self, config: CopyingConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocab_size, config.width)
        self.segments = nn.Embedding(config.segments, config.width)
        if config.agreement:
            self.agreement = nn.Embedding(config.segments + 1, config.width)
        sizes = [config.width] + [config.hidden] * (config.encoder_layers - 1)
        self.forwards = nn.ModuleList(nn.LSTM(size, config.hidden // 2, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(nn.LSTM(size, config.hidden // 2, batch_first=True) for size in sizes)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any) -> EncoderOutput:
        """`input_ids` and `attention_mask` (batch, source), padded on the right."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        numbers = self._segment_numbers(input_ids)
        states = self.read(input_ids) + self.segments(numbers)
        if self.config.agreement:
            states = states + self.agreement(self._agreement(input_ids, numbers))
        states = self.dropout(states)
        turned = _turned(mask)
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            ahead, _state = forwards(states)
            back, _state = backwards(_take(states, turned))
            states = self.dropout(torch.cat([ahead, _take(back, turned)], dim=-1))
        return EncoderOutput(last_hidden_state=states, source_ids=input_ids)

    def read(self, ids: torch.Tensor) -> torch.Tensor:
        """Embeddings (batch, length, width). The weights are small, since they also write, and learn the faster so."""
        embedded: torch.Tensor = self.words(ids)
        return embedded * READING_SCALE

    def _segment_numbers(self, input_ids: torch.Tensor) -> torch.Tensor:
        if self.config.separator_token_id is None:
            return torch.zeros_like(input_ids)
        separators = input_ids == self.config.separator_token_id
        return separators.cumsum(dim=1).clamp(max=self.config.segments - 1)

    def _agreement(self, input_ids: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """(batch, source) in how many segments the token of each place stands: what several similar impressions say is
        likelier to be right, and an LSTM cannot count it."""
        same = (input_ids[:, :, None] == input_ids[:, None, :]).float()
        return (same @ one_hot(numbers, self.config.segments).float() > 0).sum(-1)


class CopyingForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """See the module. The decoder pays attention twice: to know what to say next, and to point at what to copy."""

    config_class = CopyingConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _no_split_modules = ()

    def __init__(self, config: CopyingConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, config.hidden
        self.encoder = CopyingEncoder(config)
        self.first_hidden = nn.Linear(hidden, hidden)
        self.first_cell = nn.Linear(hidden, hidden)
        self.decoder = nn.LSTM(width, hidden, batch_first=True)
        self.reading = nn.Linear(hidden, hidden, bias=False)
        self.pointing = nn.Linear(hidden, hidden, bias=False)
        self.to_word = nn.Linear(2 * hidden, width)
        self.word_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.writes = nn.Linear(2 * hidden + width, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.encoder.words

    def get_encoder(self, *_: Any, **__: Any) -> CopyingEncoder:
        return self.encoder

    def prepare_decoder_input_ids_from_labels(self, labels: torch.Tensor) -> torch.Tensor:
        """`labels` (batch, target) shifted right behind the start token; -100 becomes padding."""
        start = labels.new_full((len(labels), 1), self.config.decoder_start_token_id)
        shifted = torch.cat([start, labels[:, :-1]], dim=1)
        return shifted.masked_fill(shifted == IGNORED, self.config.pad_token_id)

    def prepare_inputs_for_generation(
        self, input_ids: torch.Tensor, past_key_values: DecoderState | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """With a state only the newest token is read."""
        newest = input_ids if past_key_values is None else input_ids[:, -1:]
        passed = {name: kwargs.get(name) for name in ("encoder_outputs", "attention_mask", "use_cache")}
        return {"decoder_input_ids": newest, "past_key_values": past_key_values, **passed}

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        encoder_outputs: EncoderOutput | None = None,
        past_key_values: DecoderState | None = None,
        use_cache: bool | None = None,
        **_: Any,
    ) -> Seq2SeqLMOutput:
        """`input_ids` (batch, source), or `encoder_outputs`; `labels` (batch, target) with -100 where nothing counts.

        Returns:
            `logits` (batch, target, vocabulary), float32 log-probabilities, 0 where padding was read; `loss` in nats a
            token if there are labels.
        """
        if encoder_outputs is None:
            encoder_outputs = self.encoder(input_ids, attention_mask)
        if decoder_input_ids is None:
            assert labels is not None, "give labels or decoder_input_ids"
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        memory: Any = encoder_outputs.last_hidden_state
        source_ids: Any = encoder_outputs.source_ids
        mask = torch.ones_like(source_ids) if attention_mask is None else attention_mask
        state = past_key_values or self._first_state(memory, mask)
        read = self.dropout(self.encoder.read(decoder_input_ids))
        said, (hidden, cell) = self.decoder(read, (state.hidden, state.cell))
        # Behind an answer's end there is nothing to say: in a batch that is most of the places, and of the computing.
        spoken = torch.ones_like(decoder_input_ids, dtype=torch.bool)
        if past_key_values is None:
            spoken[:, 1:] = decoder_input_ids[:, 1:] != self.config.pad_token_id
        some = self._log_probabilities(read, self.dropout(said), memory, source_ids, mask, spoken)
        logits = some.new_zeros(*spoken.shape, self.config.vocab_size)
        logits[spoken] = some
        loss = None
        if labels is not None:
            loss = cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        after = DecoderState(hidden, cell, state.length + decoder_input_ids.shape[1]) if use_cache else None
        return Seq2SeqLMOutput(loss=loss, logits=logits, past_key_values=after, encoder_last_hidden_state=memory)

    def _first_state(self, memory: torch.Tensor, mask: torch.Tensor) -> DecoderState:
        weights = mask.unsqueeze(-1).to(memory.dtype)
        mean = (memory * weights).sum(1) / weights.sum(1).clamp(min=1)
        return DecoderState(torch.tanh(self.first_hidden(mean))[None], torch.tanh(self.first_cell(mean))[None], 0)

    def _log_probabilities(
        self,
        read: torch.Tensor,
        said: torch.Tensor,
        memory: torch.Tensor,
        source_ids: torch.Tensor,
        mask: torch.Tensor,
        spoken: torch.Tensor,
    ) -> torch.Tensor:
        """The mixture of writing and copying (places, vocabulary), for the places of the targets that are `spoken`."""
        attended = _attention(self.reading(said), memory, mask) @ memory
        copied = _attention(self.pointing(said), memory, mask)[spoken].float()
        knowing = torch.cat([said, attended], dim=-1)[spoken]
        word = self.dropout(torch.tanh(self.to_word(knowing)))
        written = (word @ self.encoder.words.weight.T + self.word_bias).float().softmax(-1)
        writes = torch.sigmoid(self.writes(torch.cat([knowing, read[spoken]], dim=-1)).float())
        source = source_ids[:, None, :].expand(-1, said.shape[1], -1)[spoken]
        mixture = (written * writes).scatter_add(1, source, copied * (1 - writes))
        log_probabilities: torch.Tensor = mixture.clamp(min=SMALLEST_PROBABILITY).log()
        return log_probabilities

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5 if module is self.encoder.words else 0.05)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            for weights in module.parameters():
                nn.init.uniform_(weights, -(module.hidden_size**-0.5), module.hidden_size**-0.5)

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False


def _attention(query: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Weights (batch, target, source) of each query over the places that are not padding."""
    scores: torch.Tensor = query @ memory.transpose(1, 2) * float(memory.shape[-1]) ** -0.5
    return scores.masked_fill(mask[:, None, :] == 0, torch.finfo(scores.dtype).min).softmax(-1)


def _turned(mask: torch.Tensor) -> torch.Tensor:
    """(batch, source) places that turn each text round within its own length and leave its padding where it is."""
    places = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    lengths = mask.sum(1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)


def _take(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return states.gather(1, places.unsqueeze(-1).expand_as(states))


AutoConfig.register(CopyingConfig.model_type, CopyingConfig, exist_ok=True)
AutoModelForSeq2SeqLM.register(CopyingConfig, CopyingForConditionalGeneration, exist_ok=True)
