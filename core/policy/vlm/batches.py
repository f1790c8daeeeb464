"""Model inputs of one example, kept apart from its company's, and of many, as the model takes them.

A processor returns three kinds of tensors for one prompt: a number per token, [1, T]; pictures in a row of their own
per prompt, [1, pictures, channels, height, width], and masks alike; and whatever belongs to all pictures of all
prompts, one after the other (patches, grids). The first are padded on the left, so that every prompt ends where the
batch ends; the second are filled up with blank pictures, which models leave out; the third are concatenated.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.policy.base import Features

__all__ = ["TOKENS", "collated", "one_example"]

TOKENS = ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids")
ROW_OF_PICTURES = {"pixel_values": 5, "pixel_attention_mask": 4}
"Number of axes of a tensor that has a row per prompt."


def one_example(inputs: Mapping[str, Tensor], dtype: torch.dtype) -> Features:
    """What a processor returned for one prompt, no larger than the model needs it: pictures in the model's `dtype`,
    masks as booleans; numbers per token as Int[T]."""
    features = {}
    for name, tensor in inputs.items():
        if name in TOKENS:
            features[name] = tensor[0]
        elif name.endswith("_mask"):
            features[name] = tensor.bool()
        else:
            features[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    return features


def collated(features: Sequence[Features], *, padding: int) -> Features:
    """The inputs of N examples as one batch; `padding` is the token that fills up shorter prompts.

    An example without pictures adds none, and its tokens are marked as text where others' say what they are.
    """
    batch: Features = {}
    for name in dict.fromkeys(name for each in features for name in each):
        if name in TOKENS:
            tensors = [each.get(name, torch.zeros_like(each["input_ids"])) for each in features]
        else:
            tensors = [each[name] for each in features if name in each]
        if name in TOKENS:
            fill = padding if name == "input_ids" else 0
            longest = max(len(tensor) for tensor in tensors)
            batch[name] = torch.stack([pad(tensor, (longest - len(tensor), 0), value=fill) for tensor in tensors])
        elif tensors[0].ndim == ROW_OF_PICTURES.get(name):
            batch[name] = torch.cat(_filled_up(tensors))
        else:
            batch[name] = torch.cat(tensors)
    return batch


def _filled_up(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Rows of pictures, each [1, pictures, ...], with blank ones added to the shorter."""
    longest = max(tensor.shape[1] for tensor in tensors)
    return [pad(tensor, (0, 0) * (tensor.ndim - 2) + (0, longest - tensor.shape[1])) for tensor in tensors]
