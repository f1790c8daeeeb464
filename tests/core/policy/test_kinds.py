import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.environments.screen.environment import screen_background
from core.policy.reader.background import Activity, Background
from core.policy.reader.kinds import kind_agreement, kind_evidence
from core.reading import text_encoder

BACKGROUND = screen_background()
KINDS = [activity.name for activity in BACKGROUND.activities]
NO_TOPICS = np.full(len(KINDS), 1 / len(KINDS), dtype=np.float32)


def strongest_kind(text: str) -> str:
    return KINDS[int(kind_evidence(text, BACKGROUND).argmax())]


def agreement(ask: str, text: str) -> float:
    return kind_agreement(ask, text, NO_TOPICS, BACKGROUND, text_encoder()).same_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Part Design  Pad Pocket Fillet Chamfer  Constraints Sketch", "cad"),
        ("Ledger Debit Credit Balance Journal Entry Reconcile", "accounting"),
        ("Skirmish Multiplayer Load Game Options Quit", "gaming"),
        ("Inbox Sent Drafts Junk Compose Reply All", "email"),
        ("Thunderbird", "email"),
    ],
)
def test_the_words_of_a_menu_tell_the_kind_of_activity(text: str, kind: str) -> None:
    assert strongest_kind(text) == kind


def test_what_the_work_is_done_in_decides_between_two_kinds() -> None:
    player = "Albums Artists Playlists Now playing Shuffle Lyrics"
    sequencer = "Piano Roll Mixer Sequencer BPM Tempo Reverb"
    ask = "Compose a song in the sequencer."
    assert agreement(ask, sequencer) > agreement(ask, player)


def test_a_text_without_known_words_speaks_for_no_kind() -> None:
    assert not kind_evidence("qwrtz 0000 !!", BACKGROUND).any()
    assert agreement("Pay the invoice.", "qwrtz 0000 !!") == 0.0


def test_a_term_is_found_in_any_inflection_and_counted_once() -> None:
    once = kind_evidence("ticket", BACKGROUND)
    assert once.any()
    assert np.array_equal(once, kind_evidence("Tickets; TICKET, ticketing", BACKGROUND))


def test_a_background_without_terms_has_no_evidence() -> None:
    plain = Background(activities=tuple(Activity(name=n, screens=(n,), works=(n,)) for n in ("one", "two")))
    assert not kind_evidence("one two invoice", plain).any()


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200), st.text(max_size=80))
def test_agreement_is_finite_and_bounded(text: str, ask: str) -> None:
    same_kind, overlap = kind_agreement(ask, text, NO_TOPICS, BACKGROUND, text_encoder())
    assert -1.0001 <= same_kind <= 1.0001
    assert np.isfinite(overlap)


def test_every_kind_has_terms_and_names_of_applications() -> None:
    for activity in BACKGROUND.activities:
        assert len(activity.terms) >= 10, activity.name
        assert len(activity.applications) >= 10, activity.name
