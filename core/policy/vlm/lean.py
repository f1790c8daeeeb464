"""The same arithmetic in fewer operations than transformers and peft take for it, for a loaded model.

Nothing here changes weights, their names or what is saved; a result may differ in its last bits.
"""

import itertools
from typing import TYPE_CHECKING, Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers import AttentionInterface

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["AdaptedLinear", "lean"]

ATTENTION = "flash_by_length"
"""Models hand their attention all pictures and windows at once where its name holds "flash", and else one by one."""

VARIABLE_LENGTH = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
"Families whose vision tower attends within stretches of one long sequence."


def lean(model: "PreTrainedModel") -> "PreTrainedModel":
    """`model`, in place: patches embedded by one product, windows and pictures of one size attended to together."""
    for module in model.modules():
        if type(module) is torch.nn.Conv3d and module.kernel_size == module.stride and module.padding == (0, 0, 0):
            module.__class__ = _PatchProduct
    if model.config.model_type in VARIABLE_LENGTH:
        AttentionInterface.register(ATTENTION, _attention_by_length)
        model.base_model.visual.config._attn_implementation = ATTENTION
    return model


class AdaptedLinear(Linear):
    """peft's layer with the adapter's share added by the product that makes it, in the layer's own dtype.

    peft multiplies, scales and adds in three passes over the output, in float32 where the adapter is.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if self.disable_adapters or self.merged or args or kwargs or self.active_adapters != ["default"]:
            return super().forward(x, *args, **kwargs)
        base = self.base_layer(x)
        down = self.lora_A["default"].weight.to(x.dtype)
        up = (self.lora_B["default"].weight * self.scaling["default"]).to(x.dtype)
        flat = torch.addmm(base.flatten(0, -2), linear(x, down).flatten(0, -2), up.T)
        return flat.view(base.shape)


class _PatchProduct(torch.nn.Conv3d):
    """A convolution whose kernels do not overlap, on patches already cut out: one matrix product."""

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[2:] != self.kernel_size:
            return super().forward(input)
        out = linear(input.flatten(1), self.weight.flatten(1), self.bias)
        return out[:, :, None, None, None]


def _attention_by_length(
    module: torch.nn.Module,  # noqa: ARG001
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001
    scaling: float,
    cu_seq_lens_q: Tensor,
    **_: Any,
) -> tuple[Tensor, None]:
    """Full attention within each stretch of a long sequence, one call for neighbours of one length.

    `query`, `key`, `value` are [1, heads, L, width]; `cu_seq_lens_q` are the places where stretches begin, and L.
    Gives [1, L, heads, width].
    """
    ends = cu_seq_lens_q.tolist()
    lengths = [end - start for start, end in itertools.pairwise(ends)]
    attended, start = [], 0
    for length, run in itertools.groupby(lengths):
        count = len(list(run))
        q, k, v = (
            tensor[0, :, start : start + count * length].unflatten(1, (count, length)).transpose(0, 1)
            for tensor in (query, key, value)
        )
        together = scaled_dot_product_attention(q, k, v, scale=scaling)
        attended.append(together.transpose(1, 2).flatten(0, 1))
        start += count * length
    return torch.cat(attended)[None], None
