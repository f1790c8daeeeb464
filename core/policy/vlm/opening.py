"""What every prompt begins with, put through the language tower once.

The system message stands before the picture and is the same in every prompt. In a decoder that looks backward only,
the keys and values of those tokens depend on nothing that follows, so all prompts of a batch can share them, with
gradients; and where none are asked for, all batches can until a weight changes.

Axes: N prompts, S places of a prompt (padded), P tokens of the opening.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["Opening"]

LOOK_BACKWARD = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "idefics3")
"Families whose language tower is known to be causal throughout: others may look at the whole prompt from each token."

KeysAndValues = list[tuple[Tensor, Tensor]]


class Opening:
    """The first tokens of every prompt to `model`; none where the model is of a family that is not known to fit."""

    def __init__(self, model: "PreTrainedModel", tokens: Sequence[int]) -> None:
        fits = model.config.model_type in LOOK_BACKWARD
        self.tokens_P = torch.tensor(tokens if fits else (), dtype=torch.long)
        self._kept: tuple[tuple[int, ...], KeysAndValues] | None = None

    def length_in(self, ids_NS: Tensor, real_NS: Tensor) -> int:
        """P where all prompts begin with the opening and go on behind it, else 0."""
        P = len(self.tokens_P)
        if P == 0 or int(real_NS.sum(dim=-1).min()) <= P:
            return 0
        first_N1 = real_NS.long().argmax(dim=-1, keepdim=True)
        begin_NP = ids_NS.gather(1, first_N1 + torch.arange(P, device=ids_NS.device))
        return P if bool((begin_NP == self.tokens_P.to(ids_NS.device)).all()) else 0

    def cache(self, backbone: "PreTrainedModel", prompts: int) -> DynamicCache:
        """Keys and values of the opening for so many prompts, to go on from. A new one at each call: it grows."""
        cache = DynamicCache(config=backbone.config.get_text_config())
        for layer, (keys, values) in enumerate(self._keys_and_values(backbone)):
            cache.update(keys.expand(prompts, -1, -1, -1), values.expand(prompts, -1, -1, -1), layer)
        return cache

    def _keys_and_values(self, backbone: "PreTrainedModel") -> KeysAndValues:
        if torch.is_grad_enabled():
            return self._made(backbone)
        # Torch counts how often a tensor was written to: an optimiser step shows, and so does a restored weight.
        written = tuple(weight._version for weight in backbone.parameters() if weight.requires_grad)
        kept = self._kept
        if kept is None or kept[0] != written:
            kept = self._kept = written, self._made(backbone)
        return kept[1]

    def _made(self, backbone: "PreTrainedModel") -> KeysAndValues:
        tokens_1P = self.tokens_P[None].to(backbone.device)
        places_1P = torch.arange(tokens_1P.shape[1], device=backbone.device)[None]
        inputs: dict[str, Any] = {"input_ids": tokens_1P, "attention_mask": torch.ones_like(tokens_1P)}
        cache = backbone(**inputs, position_ids=places_1P, use_cache=True).past_key_values
        return [(layer.keys, layer.values) for layer in cache.layers]
