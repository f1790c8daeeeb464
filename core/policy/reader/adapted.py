"""The encoder's last layers, trained further for descriptions of work.

What a screen says is embedded by the encoder as it comes, once and for every release. A description goes through the
same layers, whose last ones add what training found to their weights: which words of a description matter, and where
in the encoder's space the screens that fit it lie. Axes: N examples, T tokens of a text, P tokens of all texts, L
lines and C passages of a screen, D dimensions of the encoder, M match features.
"""

from typing import Any

import torch
from torch import Tensor, nn

from core.policy.reader.matching import EXCLUDED_FLOOR, MATCH_FEATURES, TOP_LINES
from core.reading import text_encoder

__all__ = ["READ", "AdaptedLayers", "matched_again"]

READ = ("wanted", "ruled_out", "lines", "passages")
"""Features of any length that the adapted layers need: a batch pads them, and says with a mask what is padding."""

ADDED = ("query", "key", "value", "attended", "wide", "narrow")
"""The matrices of a layer, in the order in which a text passes through them."""


class AdaptedLayers(nn.Module):
    """What is added to the matrices of the encoder's last `layers`; nothing, to begin with.

    With weight decay toward zero and the fixed `scale` this is a Gaussian prior about the encoder as it comes, as for
    the blocks of the head: fine-tuning toward a starting point (L2-SP, Li et al. 2018, arXiv:1802.01483).
    """

    def __init__(self, layers: int, dim: int, width: int, scale: float) -> None:
        """`dim` of the encoder, `width` of what lies between the two matrices of its feed-forward part."""
        super().__init__()
        self.layers, self.scale = layers, scale
        shapes = {**dict.fromkeys(ADDED, (dim, dim)), "wide": (width, dim), "narrow": (dim, width)}
        self.added = nn.ModuleList(
            nn.ParameterDict({name: torch.zeros(shapes[name]) for name in ADDED}) for _ in range(layers)
        )

    def forward(self, states_NTD: Tensor, mask_NT: Tensor) -> Tensor:
        """Float[N, D] of length 1 from the tokens before the last layers; zeros for a text without tokens."""
        texts = mask_NT.any(1)
        vectors_ND = states_NTD.new_zeros(len(texts), states_NTD.shape[-1])
        if not texts.any():
            return vectors_ND
        states_NTD, mask_NT = states_NTD[texts], mask_NT[texts]
        # Only tokens go through the matrices, so that padding costs nothing.
        hidden_PD = states_NTD[mask_NT]
        for layer, added in zip(text_encoder().model.encoder.layer[-self.layers :], self.added, strict=True):
            hidden_PD = self._layer(layer, added, hidden_PD, mask_NT)
        sums_ND = _padded(hidden_PD, mask_NT).sum(1)
        vectors_ND[texts] = nn.functional.normalize(sums_ND, dim=-1)
        return vectors_ND

    def _layer(self, layer: Any, added: Any, hidden_PD: Tensor, mask_NT: Tensor) -> Tensor:
        """One layer of BERT (Devlin et al. 2019)."""

        def through(name: str, linear: nn.Linear, input_P: Tensor) -> Tensor:
            return nn.functional.linear(input_P, linear.weight + self.scale * added[name], linear.bias)

        own, out = layer.attention.self, layer.attention.output
        parts = [through(name, getattr(own, name), hidden_PD) for name in ("query", "key", "value")]
        query, key, value = (
            _padded(part, mask_NT).unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2) for part in parts
        )
        seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask_NT[:, None, None, :])
        mixed_PD = seen.transpose(1, 2).flatten(-2)[mask_NT]
        attended_PD = out.LayerNorm(through("attended", out.dense, mixed_PD) + hidden_PD)
        wide = layer.intermediate.intermediate_act_fn(through("wide", layer.intermediate.dense, attended_PD))
        result: Tensor = layer.output.LayerNorm(through("narrow", layer.output.dense, wide) + attended_PD)
        return result


def matched_again(layers: AdaptedLayers, match_NM: Tensor, read: dict[str, Tensor]) -> Tensor:
    """Float[N, M]: the match features with those that compare vectors of descriptions computed by `layers`.

    `read` holds the features of READ, each with `<name>_mask`, and `document`. The formulas are those of
    `core.policy.reader.matching`; what is known of a description only as kinds of activity stays as it is.
    """
    wanted_ND = layers(read["wanted"], read["wanted_mask"])
    ruled_out_ND = layers(read["ruled_out"], read["ruled_out_mask"])
    again = {
        "lines": _best_lines(_similarities(read, "lines", wanted_ND)),
        "document": (read["document"] * wanted_ND).sum(-1),
        "passage": _similarities(read, "passages", wanted_ND).amax(1),
        "excluded": (_similarities(read, "passages", ruled_out_ND).amax(1) - EXCLUDED_FLOOR).clamp(min=0.0),
    }
    return torch.stack([again.get(name, match_NM[:, column]) for column, name in enumerate(MATCH_FEATURES)], dim=1)


def _similarities(read: dict[str, Tensor], name: str, vectors_ND: Tensor) -> Tensor:
    """Float[N, L] or Float[N, C]; minus infinity where there is padding."""
    similar = (read[name] @ vectors_ND[:, :, None])[:, :, 0]
    return similar.masked_fill(~read[f"{name}_mask"], -torch.inf)


def _best_lines(similar_NL: Tensor) -> Tensor:
    best = similar_NL.topk(min(TOP_LINES, similar_NL.shape[1]), dim=1).values
    there = best.isfinite()
    return best.masked_fill(~there, 0.0).sum(1) / there.sum(1)


def _padded(tokens_PD: Tensor, mask_NT: Tensor) -> Tensor:
    padded = tokens_PD.new_zeros(*mask_NT.shape, tokens_PD.shape[-1])
    padded[mask_NT] = tokens_PD
    return padded
