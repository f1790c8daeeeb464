"""Which kinds of variant a night makes, and what they count."""

from core.environments import environment as environment_named
from core.environments import environments
from core.learning.variants import VariantKind
from core.schema import NightshiftError
from core.services.workspace import Workspace

__all__ = ["check_kinds", "variant_weight", "wanted_kinds"]


def wanted_kinds(ws: Workspace, environment: str) -> list[VariantKind]:
    """The kinds of an environment that are not switched off."""
    kinds = ws.environment(environment).variant_kinds
    return [kind for kind in kinds if kind.name not in ws.settings.variants.off]


def check_kinds(ws: Workspace) -> None:
    """Raises NightshiftError for a name in `variants.off` that is a kind of no environment."""
    there_are = {kind.name: None for name in environments() for kind in environment_named(name).variant_kinds}
    unknown = [name for name in ws.settings.variants.off if name not in there_are]
    if unknown:
        raise NightshiftError(
            f"setting 'variants.off' names {unknown[0]!r}, which is no kind of variant; there are: "
            f"{', '.join(there_are)}"
        )


def variant_weight(kind: VariantKind) -> float:
    """How much a variant counts beside a person's own word: less where its label is only presumed to flip."""
    return 0.1 if kind.label == "keeps" else 0.03
