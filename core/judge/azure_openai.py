"""Azure OpenAI: a deployment behind an endpoint, opened by a key or by an Entra token."""

from core.judge.backend import HttpBackend, key_from
from core.schema import NightshiftError
from core.settings import JudgingSettings

__all__ = ["AzureOpenAI"]

KEY = "AZURE_OPENAI_API_KEY"
TOKEN = "AZURE_OPENAI_AD_TOKEN"
"An Entra token lasts about an hour; a night that runs out of it leaves the rest unscored."


class AzureOpenAI(HttpBackend):
    """The deployment `judging.azure_deployment` at `judging.azure_endpoint`."""

    name = "azure"

    def __init__(self, settings: JudgingSettings) -> None:
        """Raises NightshiftError without endpoint or deployment, and with neither key nor token."""
        if not (settings.azure_endpoint and settings.azure_deployment):
            raise NightshiftError('judge "azure" needs judging.azure_endpoint and judging.azure_deployment')
        key, token = key_from(settings.key_env or KEY), key_from(TOKEN)
        if key is None and token is None:
            raise NightshiftError(
                f'judge "azure" needs a key in the variable {settings.key_env or KEY} or a token in {TOKEN}'
            )
        self.model = settings.azure_deployment
        self.address = f"{settings.azure_endpoint.rstrip('/')}/{settings.azure_api_version}"
        self.url = (
            f"{settings.azure_endpoint.rstrip('/')}/openai/deployments/{settings.azure_deployment}"
            f"/chat/completions?api-version={settings.azure_api_version}"
        )
        self.headers = {"api-key": key} if key else {"Authorization": f"Bearer {token}"}
