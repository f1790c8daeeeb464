"""The audit as Prefect runs it."""

from collections.abc import Callable
from pathlib import Path

from nights import store_of

from core.schema import JudgeAudit
from core.settings import load_settings
from flows.audits import audits
from flows.client import start_audit
from flows.schedule import deployments
from flows.server import ask


def test_an_audit_by_the_flow_is_kept_and_a_second_one_asks_nobody(home_of: Callable[[str], Path]) -> None:
    home = home_of("audited")
    (first,) = audits(environment="screen", home=str(home))
    (second,) = audits(environment="screen", home=str(home))
    kept = store_of(home).find(JudgeAudit)
    assert [each.judge for each in kept] == ["reading", "reading"]
    assert first["n"] == second["n"] == second["cached"] == kept[0].overall.n > 0
    assert first["cached"] == 0 and first["kappa"] == second["kappa"]


def test_an_audit_can_be_asked_for_where_nightshift_is_up(home_of: Callable[[str], Path], api_url: str) -> None:
    home = home_of("asked")
    for deployment in deployments(load_settings(home)):
        deployment.apply()
    run = ask("GET", f"{api_url}/flow_runs/{start_audit(home, 'screen')}")
    assert (run["state"]["type"], run["parameters"]["trigger"]) == ("SCHEDULED", "console")
