"""What tests ask of a model inside vLLM's processes, which import this module by name."""

import hashlib

import torch


def hash_of_base(model: torch.nn.Module) -> str:
    """Of every weight that is no adapter's."""
    found = hashlib.sha256()
    for name, weight in sorted(model.named_parameters()):
        if "lora" not in name:
            found.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
