"""TRL's GRPO trainer, imported as if vLLM were not installed.

Where it is, TRL would import all of it, which takes longer than a short training, and warn of its version. Rollout
engines are ours, so nothing of that is used.
"""

import trl.import_utils as found

_is_available = found.is_vllm_available
found.is_vllm_available = lambda *_, **__: False
try:
    from trl import GRPOConfig, GRPOTrainer
finally:
    found.is_vllm_available = _is_available

__all__ = ["GRPOConfig", "GRPOTrainer"]
