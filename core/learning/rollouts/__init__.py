"""Rollout engines, one small file each; `rollout_engine` makes the one that the settings name."""

from core.learning.rollouts.base import Asked, RolloutEngine
from core.learning.rollouts.in_trainer import InTrainer
from core.policy import Library, Policy, Sampling
from core.schema import NightshiftError
from core.settings import LearningSettings

__all__ = ["Asked", "RolloutEngine", "rollout_engine", "sampling_of"]


def sampling_of(settings: LearningSettings) -> Sampling:
    """How the settings have completions drawn."""
    return Sampling(temperature=settings.temperature, top_p=settings.top_p, max_new_tokens=settings.max_new_tokens)


def rollout_engine(policy: Policy, settings: LearningSettings, library: Library | None) -> RolloutEngine:
    """The engine named by `settings.rollouts`, ready to be refreshed.

    `library` is where an engine that encodes for itself finds the pictures. Raises NightshiftError where the engine is
    not installed, cannot be reached, or does not fit the policy.
    """
    if settings.rollouts == "transformers":
        return InTrainer()
    from core.policy.vlm.policy import VlmPolicy

    if not isinstance(policy, VlmPolicy):
        raise NightshiftError(
            f"learning.rollouts {settings.rollouts!r} draws for vision-language students, and this is {policy.name!r}; "
            'set rollouts = "transformers"'
        )
    if settings.rollouts == "vllm":
        from core.learning.rollouts.vllm_in_process import VllmInProcess

        return VllmInProcess.start(policy, settings, library)
    from core.learning.rollouts.vllm_server import VllmServer

    return VllmServer.reach(policy, settings, library)
