"""No night of any environment runs while something is erased."""

from pathlib import Path

import pytest

from core.schema import NightshiftError
from core.services import Workspace
from core.services.erasing.holding import while_no_night_runs
from core.services.night.record import bootstrap_lease
from core.settings import load_settings
from core.store import LeaseHeld, open_store


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Both environments are served; no model is needed."""
    settings = load_settings(tmp_path, environments=("screen", "group_qc"))
    return Workspace(settings, open_store(settings.store_url))


def test_a_night_of_one_environment_keeps_an_erasure_from_beginning(ws: Workspace) -> None:
    with (
        ws.store.lease("night/screen", "a night", 60),
        pytest.raises(NightshiftError, match="a night is running"),
        while_no_night_runs(ws),
    ):
        pass


def test_no_night_begins_meanwhile_and_afterwards_all_may(ws: Workspace) -> None:
    with while_no_night_runs(ws):
        for name in ("night/screen", "night/group_qc"):
            with pytest.raises(LeaseHeld):
                ws.store.lease(name, "a night", 60)
    for name in ("night/screen", "night/group_qc"):
        ws.store.lease(name, "a night", 60).release()


def test_an_erasure_within_a_night_keeps_the_nights_of_others_away(ws: Workspace) -> None:
    with ws.store.lease("night/group_qc", "a night", 60) as own, while_no_night_runs(ws, own) as held:
        assert held is own
        with pytest.raises(LeaseHeld):
            ws.store.lease("night/screen", "a night", 60)


def test_a_bootstrap_keeps_an_erasure_from_beginning_too(ws: Workspace) -> None:
    with (
        ws.store.lease(bootstrap_lease("screen"), "a flow", 60),
        pytest.raises(NightshiftError, match="a bootstrap is running"),
        while_no_night_runs(ws),
    ):
        pass


def test_an_environment_that_is_not_known_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="no environment 'robots'; there are: screen, group_qc"):
        Workspace.open(tmp_path, environments=("robots",))
