"""Which pages there are, which environments each is about, and under which addresses they stand."""

from typing import NamedTuple

from app.console.language import later
from core.environments import Environment
from core.services import Workspace

__all__ = [
    "CLASSIFY",
    "FIGURES",
    "GROUPS",
    "JUDGE",
    "MODELS",
    "PAGES",
    "REVIEW",
    "RUNS",
    "Page",
    "address",
    "environments_of",
    "sibling",
    "word_page",
]


class Page(NamedTuple):
    """A page of the console, once for each environment that has it."""

    path: str
    title: str
    takes_groups: bool | None = None
    "What its environments take, see `Environment.takes_groups`; None where that does not matter."


CLASSIFY = Page("", later("Classify"), takes_groups=False)
REVIEW = Page("review", later("Review"), takes_groups=False)
GROUPS = Page("groups", later("Groups"), takes_groups=True)
FIGURES = Page("figures", later("Metrics"))
RUNS = Page("runs", later("Runs"))
MODELS = Page("models", later("Models"))
JUDGE = Page("judge", later("Judge"))
PAGES = (CLASSIFY, REVIEW, GROUPS, FIGURES, RUNS, MODELS, JUDGE)
"In the order of the bar."


def environments_of(page: Page, ws: Workspace) -> list[Environment]:
    """Those served here that have the page."""
    served = (ws.environment(name) for name in ws.environments)
    return [each for each in served if page.takes_groups in (None, each.takes_groups)]


def address(page: Page, environment: Environment, ws: Workspace) -> str:
    """`/runs` of the first environment that has the page, `/runs-NAME` of each other one."""
    if environment.name == environments_of(page, ws)[0].name:
        return f"/{page.path}"
    return f"/{page.path or 'classify'}-{environment.name}"


def sibling(page: Page, environment: Environment | None, ws: Workspace) -> str | None:
    """The address of a page of the same environment, else of the first one that has it; None where none has."""
    having = environments_of(page, ws)
    here = [each for each in having if environment is not None and each.name == environment.name]
    return address(page, (here or having)[0], ws) if having else None


def word_page(environment: Environment) -> Page:
    """The page on which people answer what waits."""
    return GROUPS if environment.takes_groups else REVIEW
