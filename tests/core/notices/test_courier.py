"""Every notice arrives, signed, at least once; what does not arrive is tried again, and then given up."""

from datetime import timedelta

import pytest
from receiving import Receiver

from core.notices import Courier, deliver_again, standing
from core.schema import Event, NightshiftError, Notice, Promotion, new_id, now
from core.settings import NoticeSettings, WebhookSettings
from core.store import Store


def settings(*urls: str, **fields: object) -> NoticeSettings:
    hooks = tuple(WebhookSettings(name=f"ops{place}", url=url) for place, url in enumerate(urls))
    return NoticeSettings(webhooks=hooks, timeout_s=5, **fields)


def promoted(store: Store) -> None:
    store.add(
        Promotion(id=new_id(), environment="screen", release="b", previous="a", action="promote", reason="better")
    )


def states(store: Store, wanted: NoticeSettings) -> list[tuple[str, str, int]]:
    return [(each.endpoint, each.state.value, each.tries) for each in standing(store, wanted)]


def test_a_notice_is_posted_once_and_its_signature_holds(store: Store, receiver: Receiver) -> None:
    promoted(store)
    courier = Courier(store, settings(receiver.url), ["screen"])

    assert [each.ok for each in courier.look()] == [True]
    assert courier.look() == []

    (heard,) = receiver.heard
    assert heard["type"] == "promoted" and heard["data"]["release"] == "b" and heard["data"]["reason"] == "better"


def test_a_refusal_is_tried_again_later_with_the_same_id_and_then_given_up(store: Store, receiver: Receiver) -> None:
    promoted(store)
    wanted = settings(receiver.url, tries=3)
    courier = Courier(store, wanted, ["screen"])
    receiver.statuses = [500, 503, 500]
    at = now()

    for later in (0, 1, 6, 7, 37, 40_000):
        courier.look(at + timedelta(seconds=later))

    assert len(receiver.ids) == 3 and len(set(receiver.ids)) == 1
    assert states(store, wanted) == [("ops0", "given up", 3)]


def test_what_was_given_up_can_be_replayed(store: Store, receiver: Receiver) -> None:
    promoted(store)
    wanted = settings(receiver.url, tries=1)
    receiver.statuses = [500]
    courier = Courier(store, wanted, ["screen"])
    courier.look()
    (notice,) = store.find(Notice)

    deliver_again(store, wanted, notice.id[:10])
    assert states(store, wanted) == [("ops0", "waiting", 0)]
    courier.look()

    assert states(store, wanted) == [("ops0", "delivered", 1)]
    with pytest.raises(NightshiftError, match="no notice"):
        deliver_again(store, wanted, "zzz")


def test_an_address_that_is_down_does_not_hold_up_another(store: Store, receiver: Receiver) -> None:
    promoted(store)
    wanted = settings("http://127.0.0.1:9/nobody", receiver.url)

    made = Courier(store, wanted, ["screen"]).look()

    assert {each.endpoint: each.ok for each in made} == {"ops0": False, "ops1": True}
    assert len(receiver.heard) == 1


def test_redirects_are_not_followed(store: Store, receiver: Receiver) -> None:
    promoted(store)
    receiver.statuses = [302]

    (made,) = Courier(store, settings(receiver.url), ["screen"]).look()

    assert (made.ok, made.status) == (False, 302)


def test_an_address_hears_only_what_it_asked_for(store: Store, receiver: Receiver) -> None:
    promoted(store)
    hook = WebhookSettings(name="ops", url=receiver.url, events=(Event.DRIFT,))

    assert Courier(store, NoticeSettings(webhooks=(hook,)), ["screen"]).look() == []
    assert len(store.find(Notice)) == 1


def test_a_restart_neither_forgets_nor_repeats(store: Store, receiver: Receiver) -> None:
    promoted(store)
    wanted = settings(receiver.url)
    receiver.statuses = [500]
    at = now()
    Courier(store, wanted, ["screen"]).look(at)

    Courier(store, wanted, ["screen"]).look(at + timedelta(seconds=6))
    Courier(store, wanted, ["screen"]).look(at + timedelta(seconds=60))

    assert states(store, wanted) == [("ops0", "delivered", 2)]


def test_of_two_couriers_one_posts(store: Store, receiver: Receiver) -> None:
    promoted(store)
    with store.lease("notices", "another courier", ttl_s=60):
        assert Courier(store, settings(receiver.url), ["screen"]).look() == []

    assert receiver.heard == []


def test_without_a_secret_nothing_is_posted_and_the_message_names_the_variable(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(store)
    monkeypatch.delenv("NIGHTSHIFT_WEBHOOK_SECRET")

    with pytest.raises(NightshiftError, match="NIGHTSHIFT_WEBHOOK_SECRET"):
        Courier(store, settings(receiver.url), ["screen"]).look()

    assert receiver.heard == [] and len(store.find(Notice)) == 1


def test_each_new_notice_is_told_once_to_who_listens(store: Store) -> None:
    heard: list[Notice] = []
    courier = Courier(store, NoticeSettings(), ["screen"], tell=heard.append)
    promoted(store)

    courier.look()
    courier.look()

    assert [notice.event for notice in heard] == [Event.PROMOTED]


@pytest.mark.parametrize("url", ["ftp://host/x", "http://user:pass@host/", "https://host/?token=1", "host"])
def test_an_address_that_holds_a_secret_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        WebhookSettings(name="ops", url=url)
