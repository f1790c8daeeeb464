"""Any server that speaks OpenAI's chat completions: vLLM, Ollama, llama.cpp, OpenAI itself."""

from core.judge.backend import HttpBackend, key_from
from core.schema import NightshiftError
from core.settings import OPENAI_URL, JudgingSettings

__all__ = ["OpenAICompatible"]

OPENAI_KEY = "OPENAI_API_KEY"


class OpenAICompatible(HttpBackend):
    """The server at `judging.base_url`."""

    name = "openai"

    def __init__(self, settings: JudgingSettings) -> None:
        """Raises NightshiftError without a model, and without a key for OpenAI itself."""
        if not settings.model:
            raise NightshiftError('judge "openai" needs judging.model, the name of a model on judging.base_url')
        # The key of one service is not for another: whoever asks elsewhere names the variable.
        variable = settings.key_env or (OPENAI_KEY if settings.base_url == OPENAI_URL else "")
        key = key_from(variable)
        if variable and key is None:
            raise NightshiftError(f'judge "openai" at {settings.base_url} needs a key in the variable {variable}')
        self.model = settings.model
        self.address = settings.base_url
        self.url = f"{settings.base_url.rstrip('/')}/chat/completions"
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
