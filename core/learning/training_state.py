"""Where a training stands after a step, as files without code in them: what the next step depends on, and no more.

`tensors.safetensors` holds the weights that train and the buffers (never the frozen weights), the optimiser's
tensors, and the states of the random generators, one row a process. `numbers.json` holds everything else. Torch's
generators are kept; nothing in a training draws from those of Python or numpy.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

__all__ = [
    "changing_weights",
    "optimizer_state",
    "random_state",
    "read_numbers",
    "read_tensors",
    "restore_optimizer",
    "restore_random",
    "restore_trainable",
    "restore_weights",
    "trainable_weights",
    "write_state",
]

TENSORS, NUMBERS = "tensors.safetensors", "numbers.json"


def write_state(folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], numbers: Mapping[str, Any]) -> None:
    """Writes groups of named tensors, and numbers that JSON can hold, into `folder`."""
    flat = {f"{group}/{name}": value for group, named in tensors.items() for name, value in named.items()}
    # Cloned, since tensors that share memory (as buffers may) cannot stand in one file.
    save_file({name: value.detach().cpu().clone().contiguous() for name, value in flat.items()}, folder / TENSORS)
    (folder / NUMBERS).write_text(json.dumps(numbers))


def read_tensors(folder: Path, group: str) -> dict[str, Tensor]:
    """The tensors of one group, on the CPU, by name."""
    with safe_open(folder / TENSORS, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(f"{group}/")]  # noqa: SIM118
        return {name.removeprefix(f"{group}/"): file.get_tensor(name) for name in names}


def read_numbers(folder: Path) -> dict[str, Any]:
    """The numbers of a folder."""
    numbers: dict[str, Any] = json.loads((folder / NUMBERS).read_text())
    return numbers


def changing_weights(model: torch.nn.Module) -> dict[str, Tensor]:
    """Every trainable parameter and every buffer, by name."""
    trainable = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    return {**trainable, **dict(model.named_buffers())}


def trainable_weights(model: torch.nn.Module) -> dict[str, Tensor]:
    """Copies of all trainable parameters, by name."""
    return {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}


@torch.no_grad()
def restore_trainable(model: torch.nn.Module, values: Mapping[str, Tensor]) -> None:
    """Puts back what `trainable_weights` gave."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            weight.copy_(values[name])


@torch.no_grad()
def restore_weights(model: torch.nn.Module, values: Mapping[str, Tensor]) -> None:
    """Puts back what `changing_weights` gave."""
    for name, tensor in changing_weights(model).items():
        tensor.copy_(values[name])


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The optimiser's tensors, named `<parameter>/<what>`, and its settings as JSON can hold them."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {"param_groups": state["param_groups"], "state": {}}
    for parameter, values in state["state"].items():
        for what, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{parameter}/{what}"] = value
            else:
                numbers["state"].setdefault(str(parameter), {})[what] = value
    return tensors, numbers


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
) -> None:
    """Puts back what `optimizer_state` gave, into an optimiser of the same parameters."""
    state: dict[int, dict[str, Any]] = {int(parameter): dict(rest) for parameter, rest in numbers["state"].items()}
    for name, value in tensors.items():
        parameter, _, what = name.partition("/")
        state.setdefault(int(parameter), {})[what] = value
    groups = [
        {name: tuple(value) if name == "betas" else value for name, value in group.items()}
        for group in numbers["param_groups"]
    ]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def random_state(sampling: torch.Generator, each_process: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """States of torch's generators and of `sampling`; `each_process` stacks those of all processes, Byte[P, ...]."""
    states = {"cpu": torch.get_rng_state(), "sampling": sampling.get_state()}
    if sampling.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(sampling.device)
    return {name: each_process(state[None]) for name, state in states.items()}


def restore_random(sampling: torch.Generator, states: Mapping[str, Tensor], process: int) -> None:
    """Puts back what `random_state` gave, in the process of that number."""
    torch.set_rng_state(states["cpu"][process])
    sampling.set_state(states["sampling"][process])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"][process], sampling.device)
