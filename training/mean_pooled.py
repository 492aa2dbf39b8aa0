"""A classifier on the mean of what an encoder makes of each token.

The classification heads of BERT and its kin look at the first token alone. An encoder that was trained to represent
whole sentences by the mean of its tokens has not learnt to put much there: all-MiniLM-L6-v2 finds events after one
epoch over their mean that it does not find after two over its first token (docs/quality-log.md).

The class registers itself, so that a model directory with it is loaded as any other.
"""

from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput

# What a classifier looks at: the first token, as the encoder's own head does, or the mean of all.
FIRST, MEAN = POOLINGS = "first", "mean"


class MeanPooledConfig(PretrainedConfig):
    """`encoder` is the configuration of the encoder, with its `model_type`; `dropout` is of the mean, in [0, 1)."""

    model_type = "mean_pooled_classifier"

    def __init__(self, encoder: dict[str, Any] | None = None, dropout: float = 0.1, **rest: Any) -> None:
        self.encoder = encoder or {}
        self.dropout = dropout
        super().__init__(**rest)

    @property
    def max_position_embeddings(self) -> int | None:
        """How many positions the encoder has; None where it does not say."""
        limit: int | None = self.encoder.get("max_position_embeddings")
        return limit


class MeanPooledClassifier(PreTrainedModel):
    """An encoder, and a linear layer on the mean of its last hidden states over the tokens that are no padding."""

    config_class = MeanPooledConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = True

    def __init__(self, config: MeanPooledConfig) -> None:
        super().__init__(config)
        encoder = AutoConfig.for_model(**config.encoder)
        self.encoder = AutoModel.from_config(encoder)
        # What the encoder's own head begins with; nothing here asks it, and it would be trained in vain.
        if hasattr(self.encoder, "pooler"):
            self.encoder.pooler = None
        self.dropout = torch.nn.Dropout(config.dropout)
        self.classifier = torch.nn.Linear(encoder.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Of `input_ids` and `attention_mask` (texts, tokens) the logits (texts, labels)."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self.encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))


def mean_pooled(model: Any) -> MeanPooledClassifier:
    """The classifier on the mean with the encoder of `model` (any classifier) and its labels; the head is new."""
    if isinstance(model, MeanPooledClassifier):
        return model
    config = MeanPooledConfig(
        encoder=model.base_model.config.to_dict(),
        id2label=model.config.id2label,
        label2id=model.config.label2id,
        pad_token_id=model.config.pad_token_id,
    )
    pooled = MeanPooledClassifier(config)
    pooled.encoder.load_state_dict(
        {name: value for name, value in model.base_model.state_dict().items() if not name.startswith("pooler.")}
    )
    pooled.to(model.dtype)
    return pooled


AutoConfig.register(MeanPooledConfig.model_type, MeanPooledConfig)
AutoModelForSequenceClassification.register(MeanPooledConfig, MeanPooledClassifier)
