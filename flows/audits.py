"""The audit: judges are held against what people said, so that their word counts for what it is worth.

    audit      each judge of the settings answers people's newest examples; agreement, calibration, cost, earned share

What was judged before is not paid for again. Nothing is trained, and no lease is taken: an audit may run beside a
night.
"""

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

__all__ = ["audits"]


@flow(name="audits", flow_run_name="judges of {environment}, by {trigger}", retries=0, persist_result=False)
def audits(environment: str = "screen", home: str | None = None, trigger: str = "request") -> list[dict[str, Any]]:  # noqa: ARG001
    """Holds the judge of the settings, or each member of a panel and the panel, against people's feedback.

    Raises NightshiftError where the judge lacks a setting or a key.
    """
    return audit(environment, home)


@task(retries=0, cache_policy=NO_CACHE, persist_result=False)
def audit(environment: str, home: str | None) -> list[dict[str, Any]]:
    """Every judge's figures, kept in the store."""
    from core.services import Workspace, audit_figures, audit_judges

    found = audit_judges(Workspace.open(Path(home) if home else None), environment)
    for each in found:
        get_run_logger().info(
            "%s: kappa %s on %d of %d examples; it has earned %.0f%% of its weight",
            each.judge, each.overall.kappa, each.overall.scored, each.overall.n, 100 * each.share,
        )  # fmt: skip
    return [audit_figures(each) for each in found]
