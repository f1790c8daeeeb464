"""The judges there are, by the name that the setting `judge` chooses them with."""

from collections.abc import Callable, Mapping

from core.judge.azure_openai import AzureOpenAI
from core.judge.backend import Backend
from core.judge.base import Judge
from core.judge.group import GroupPrompt
from core.judge.openai_compatible import OpenAICompatible
from core.judge.panel import Panel
from core.judge.prompt import JudgePrompt
from core.judge.remote import RemoteJudge
from core.schema import NightshiftError
from core.settings import JudgingSettings, Settings

__all__ = ["BACKENDS", "chosen_judge", "remote_judge"]

BACKENDS = ("openai", "azure", "huggingface", "transformers", "vllm")

Embedded = Mapping[str, Callable[[], Judge]]
"""Judges of an environment that are no model of somebody else, by name."""


def chosen_judge(settings: Settings, prompt: JudgePrompt | GroupPrompt, embedded: Embedded) -> Judge:
    """The judge that the settings choose, or the panel of several.

    Raises NightshiftError for a name that is none, and where one lacks a setting, a key or its model.
    """
    if not settings.judge_names:
        raise NightshiftError("setting 'judge' names no judge; `reading` is the default")
    members = [_judge(name, settings, prompt, embedded) for name in settings.judge_names]
    return members[0] if len(members) == 1 else Panel(members)


def remote_judge(name: str, prompt: JudgePrompt | GroupPrompt, settings: JudgingSettings) -> RemoteJudge:
    """The judge behind the backend `name`. Raises NightshiftError for an unknown name, or where it lacks a setting or
    a key."""
    return RemoteJudge(_backend(name, settings), prompt, settings)


def _judge(name: str, settings: Settings, prompt: JudgePrompt | GroupPrompt, embedded: Embedded) -> Judge:
    if name in embedded:
        return embedded[name]()
    if (own := settings.judges.get(name)) is not None:
        return RemoteJudge(_backend(own.backend, own), prompt, own, name)
    if name in BACKENDS:
        return remote_judge(name, prompt, settings.judging)
    known = ", ".join([*embedded, *BACKENDS, *settings.judges])
    raise NightshiftError(f"no judge {name!r}; there are: {known}")


def _backend(name: str, settings: JudgingSettings) -> Backend:
    match name:
        case OpenAICompatible.name:
            return OpenAICompatible(settings)
        case AzureOpenAI.name:
            return AzureOpenAI(settings)
        # The others load libraries that these do without.
        case "huggingface":
            from core.judge.huggingface import HuggingFace

            return HuggingFace(settings)
        case "transformers":
            from core.judge.transformers_model import TransformersModel

            return TransformersModel(settings)
        case "vllm":
            from core.judge.vllm_engine import VllmEngine

            return VllmEngine(settings)
    raise NightshiftError(f"no kind of judge {name!r}; there are: {', '.join(BACKENDS)}")
