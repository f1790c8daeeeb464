"""The adapter of a policy as a folder that vLLM loads: never merged into the base, so that its weights keep their bits.

A folder is named by its content. vLLM keeps prefixes of prompts by the name of the adapter that made them, so that
another name is what keeps stale ones from being used.
"""

import shutil
from pathlib import Path

from core.disk import sha256_of
from core.policy.vlm.policy import VlmPolicy

__all__ = ["write_adapter"]


def write_adapter(policy: VlmPolicy, directory: Path) -> Path:
    """Writes the adapter of `policy` as it is now below `directory`, and returns its folder, whose name says which."""
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / "adapter.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    policy.save_adapter(partial)
    folder = directory / f"nightshift-{sha256_of(partial / 'adapter_model.safetensors')[:16]}"
    if folder.exists():
        shutil.rmtree(partial)
    else:
        partial.rename(folder)
    return folder
