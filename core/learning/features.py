"""Encoded features on disk: one safetensors file, in which equal tensors are kept once.

Whoever starts a training encodes (`Policy.encode` needs the library of screens) and writes this file; the training
process only reads it. Examples that share a screen share most of their features, so that a correction and its
variants cost little more than the correction alone.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.policy import Features
from core.schema import NightshiftError

__all__ = ["load_features", "save_features"]


def save_features(path: Path, features: Sequence[Features]) -> None:
    """Writes the features of N examples, in order. What has one name must have one dtype and rank.

    The file holds for each name: `<name>/values`, the distinct tensors, flat, one after the other; `<name>/shapes`,
    Int[U, D], their shapes; `<name>/rows`, Int[N], which of them each example has, -1 where it has none (a question
    without a picture has no pixels).
    """
    names = sorted({name for each in features for name in each})
    packed: dict[str, Tensor] = {}
    for name in names:
        packed.update({f"{name}/{part}": value for part, value in _pack([each.get(name) for each in features]).items()})
    save_file(packed, path, metadata={"examples": str(len(features))})


def load_features(path: Path) -> list[Features]:
    """Features as `save_features` wrote them. Raises NightshiftError where the file is missing or damaged."""
    try:
        packed = load_file(path)
    except (OSError, SafetensorError) as error:
        raise NightshiftError(f"cannot read the encoded features {path}: {error}") from error
    names = sorted({key.rpartition("/")[0] for key in packed})
    columns = [_unpack(*(packed[f"{name}/{part}"] for part in ("values", "shapes", "rows"))) for name in names]
    return [
        {name: tensor for name, tensor in zip(names, row, strict=True) if tensor is not None}
        for row in zip(*columns, strict=True)
    ]


def _pack(tensors: Sequence[Tensor | None]) -> dict[str, Tensor]:
    distinct: dict[bytes, tuple[int, Tensor]] = {}
    rows = []
    for tensor in tensors:
        if tensor is None:
            rows.append(-1)
            continue
        tensor = tensor.detach().cpu().contiguous()
        row, _ = distinct.setdefault(_digest(tensor), (len(distinct), tensor))
        rows.append(row)
    kept = [tensor for _, tensor in distinct.values()]
    if len({(tensor.dtype, tensor.ndim) for tensor in kept}) != 1:
        raise NightshiftError("a feature must have the same dtype and number of axes in every example")
    return {
        "values": torch.cat([tensor.reshape(-1) for tensor in kept]),
        "shapes": torch.tensor([tensor.shape for tensor in kept], dtype=torch.int64).reshape(len(kept), kept[0].ndim),
        "rows": torch.tensor(rows, dtype=torch.int64),
    }


def _unpack(values: Tensor, shapes_UD: Tensor, rows_N: Tensor) -> list[Tensor | None]:
    sizes = shapes_UD.prod(dim=1).tolist()
    distinct = [chunk.view(shape) for chunk, shape in zip(values.split(sizes), shapes_UD.tolist(), strict=True)]
    return [distinct[row] if row >= 0 else None for row in rows_N.tolist()]


def _digest(tensor: Tensor) -> bytes:
    flat = tensor.reshape(-1).view(torch.uint8).numpy() if tensor.numel() else b""
    return hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode() + bytes(flat)).digest()
