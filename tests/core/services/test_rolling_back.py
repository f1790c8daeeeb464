"""Who is champion in each environment, who was, and the way back."""

import pytest
from releases import make_release, promote
from served_homes import in_each_environment

from core.schema import NightshiftError
from core.services import Classifier, Workspace, champion_card, history, rollback

pytestmark = in_each_environment


def test_a_new_installation_serves_the_untrained_model(ws: Workspace, environment: str) -> None:
    card = champion_card(ws, environment)
    assert (card["release"], card["how"], card["previous"]) == (ws.store.champion(environment), "install", None)
    assert (card["challenger"], card["last_decision"]) == (None, None)
    assert [each.action for each in history(ws, environment)] == ["install"]


def test_opening_an_installation_again_installs_nothing(ws: Workspace) -> None:
    before = ws.store.tables()
    assert Workspace.open(ws.home).store.tables() == before


def test_the_card_of_a_promoted_champion_says_since_when_and_why(ws: Workspace, environment: str) -> None:
    first, second = ws.store.champion(environment), make_release(ws, 1.5, environment)
    promote(ws, second, "it is better")
    card = champion_card(ws, environment)
    assert (card["release"], card["how"], card["previous"]) == (second.id, "promote", first)
    assert (card["reason"], card["challenger"], card["releases"]) == ("it is better", second.id, 2)
    assert card["last_decision"].challenger == second.id
    assert [each.release for each in history(ws, environment)] == [second.id, first]


def test_rolling_back_a_promotion_makes_the_champion_before_serve(ws: Workspace, environment: str) -> None:
    first = ws.store.champion(environment)
    promote(ws, make_release(ws, 1.5, environment))
    promotion = rollback(ws, environment, reason="too strict", by="mara")
    assert (promotion.action, promotion.release, promotion.reason) == ("rollback", first, "too strict")
    assert Classifier.of_champion(ws, environment).release_id == first
    assert [each.action for each in history(ws, environment)] == ["rollback", "promote", "install"]


def test_rolling_back_may_name_an_earlier_champion(ws: Workspace, environment: str) -> None:
    first = ws.store.champion(environment)
    assert first is not None
    for temperature in (1.5, 2.0):
        promote(ws, make_release(ws, temperature, environment))
    assert rollback(ws, environment, to=first[:10]).release == first


def test_without_an_earlier_champion_nothing_is_rolled_back(ws: Workspace, environment: str) -> None:
    before = ws.store.tables()
    with pytest.raises(NightshiftError):
        rollback(ws, environment)
    assert ws.store.tables() == before
