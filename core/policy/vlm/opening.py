"""What every prompt begins with, put through the language tower once.

The system message stands before the picture and is the same in every prompt. In a decoder that looks backward only,
the keys and values of those tokens depend on nothing that follows, so all prompts of a batch can share them, with
gradients. They are kept from one batch to the next only for a model that is frozen: else nothing tells reliably that
a weight has changed.

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


class Opening:
    """The first tokens of every prompt to `model`; none where the model is of a family that is not known to fit."""

    def __init__(self, model: "PreTrainedModel", tokens: Sequence[int]) -> None:
        fits = model.config.model_type in LOOK_BACKWARD
        self.tokens_P = torch.tensor(tokens if fits else (), dtype=torch.long)
        self._kept: DynamicCache | None = None

    def keep(self, backbone: "PreTrainedModel") -> None:
        """Puts the opening through once and for all; `backbone` must never change again."""
        if len(self.tokens_P):
            self._kept = self._put_through(backbone)

    def length_in(self, ids_NS: Tensor, real_NS: Tensor) -> int:
        """P where all prompts begin with the opening and go on behind it, and it is kept or shared; else 0."""
        P = len(self.tokens_P)
        if P == 0 or (len(ids_NS) == 1 and self._kept is None) or int(real_NS.sum(dim=-1).min()) <= P:
            return 0
        first_N1 = real_NS.long().argmax(dim=-1, keepdim=True)
        begin_NP = ids_NS.gather(1, first_N1 + torch.arange(P, device=ids_NS.device))
        return P if bool((begin_NP == self.tokens_P.to(ids_NS.device)).all()) else 0

    def cache(self, backbone: "PreTrainedModel", prompts: int) -> DynamicCache:
        """Keys and values of the opening for so many prompts, to go on from."""
        made = self._kept or self._put_through(backbone)
        cache = DynamicCache(config=backbone.config.get_text_config())
        for layer, of_one in enumerate(made.layers):
            keys, values = (each.expand(prompts, -1, -1, -1) for each in (of_one.keys, of_one.values))
            cache.update(keys, values, layer)
        return cache

    def _put_through(self, backbone: "PreTrainedModel") -> DynamicCache:
        tokens_1P = self.tokens_P[None].to(backbone.device)
        places_1P = torch.arange(tokens_1P.shape[1], device=backbone.device)[None]
        inputs: dict[str, Any] = {"input_ids": tokens_1P, "attention_mask": torch.ones_like(tokens_1P)}
        made: DynamicCache = backbone(**inputs, position_ids=places_1P, use_cache=True).past_key_values
        return made
