"""The backends there are, by the name that the setting `judge` chooses them with."""

from core.judge.azure_openai import AzureOpenAI
from core.judge.backend import Backend
from core.judge.openai_compatible import OpenAICompatible
from core.judge.prompt import JudgePrompt
from core.judge.remote import RemoteJudge
from core.schema import NightshiftError
from core.settings import JudgingSettings

__all__ = ["BACKENDS", "remote_judge"]

BACKENDS = ("openai", "azure", "huggingface")


def remote_judge(name: str, prompt: JudgePrompt, settings: JudgingSettings) -> RemoteJudge:
    """The judge behind the backend `name`. Raises NightshiftError for an unknown name, or where it lacks a setting or
    a key."""
    return RemoteJudge(_backend(name, settings), prompt, settings)


def _backend(name: str, settings: JudgingSettings) -> Backend:
    match name:
        case OpenAICompatible.name:
            return OpenAICompatible(settings)
        case AzureOpenAI.name:
            return AzureOpenAI(settings)
        case "huggingface":
            # Loads the Hub's client, which the others do without.
            from core.judge.huggingface import HuggingFace

            return HuggingFace(settings)
    raise NightshiftError(f"no judge {name!r}; there are: reading, {', '.join(BACKENDS)}")
