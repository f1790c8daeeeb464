"""A model that answers and will never be trained again.

What follows from weights can be kept only where no weight changes. A frozen model has weights of its own, which nobody
who held the old ones can reach (an optimiser, a model that shares them); they are inference tensors, through which
autograd refuses to go.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["frozen"]

Table = dict[str, Any]
Places = list[tuple[Table, str]]


def frozen(model: "PreTrainedModel") -> "PreTrainedModel":
    """`model`, in place, with every weight and buffer an inference tensor; weights that were tied stay so."""
    with torch.inference_mode():
        for places in _by_tensor([module._parameters for module in model.modules()]):
            _put(places, nn.Parameter(_at(places).detach().clone(), requires_grad=False))
        for places in _by_tensor([module._buffers for module in model.modules()]):
            _put(places, _at(places).detach().clone())
    return model


def _by_tensor(tables: list[Table]) -> list[Places]:
    """Where each tensor is named; found before any is replaced, so that the copy of one model is in memory once."""
    found: dict[int, Places] = {}
    for table in tables:
        for name, tensor in table.items():
            if tensor is not None:
                found.setdefault(id(tensor), []).append((table, name))
    return list(found.values())


def _at(places: Places) -> Tensor:
    table, name = places[0]
    tensor: Tensor = table[name]
    return tensor


def _put(places: Places, tensor: Tensor) -> None:
    for table, name in places:
        table[name] = tensor
