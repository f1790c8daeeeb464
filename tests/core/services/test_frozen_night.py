"""A challenger that waits is promoted in a whole later night, by what people said since, and by nothing else."""

import io
from random import Random

import pytest
import torch
from labelled_folder import Pair
from live_nights import live_night
from PIL import Image, ImageDraw, ImageFont

from core.policy.reader.policy import ReaderPolicy
from core.schema import ChosenBy, Decision, Frozen, Outcome, Promotion, Release, Run, new_id
from core.services import Classifier, Workspace, classify, correct, night, night_report, night_result

SETTINGS = """
[learning]
steps = 1
batch_size = 8
variants_per_correction = 0
threads = 1
[gate]
folds = 2
hostile_screens = 0
[night]
lease_s = 600
"""
SONGS = (
    *("Harbour", "Lantern", "Meadow", "Copper", "Winter", "Orchid", "Falcon"),
    *("Marble", "Canyon", "Velvet", "Ember", "Willow", "Anchor", "Saffron"),
)


def _player(song: str) -> bytes:
    """A music player, each with another cover, so that no two are near-duplicates."""
    rng = Random(song)
    image = Image.new("RGB", (900, 400), "white")
    draw = ImageDraw.Draw(image)
    for left in range(400, 900, 100):
        for top in range(0, 400, 100):
            draw.rectangle((left, top, left + 99, top + 99), fill=rng.choice(("black", "navy", "gold", "white")))
    for row, text in enumerate((f"Spotify - {song}", "Now playing: album", "Playlist: songs", "Lyrics  Shuffle")):
        draw.text((20, 30 + 90 * row), text, fill="black", font=ImageFont.load_default(28))
    png = io.BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


def _fan(ws: Workspace, run: Run) -> Release:
    """The untrained reader, but music is work: what a house rule taught it."""
    policy = ws.environment("screen").untrained_policy(ws.settings)
    assert isinstance(policy, ReaderPolicy)
    with torch.no_grad():
        kinds = [activity.name for activity in policy.background.activities]
        policy.model.topic_weights[next(k for k, kind in enumerate(kinds) if "music" in kind)] = 8.0
    folder = ws.home / f"made-{new_id()}"
    policy.save(folder)
    checkpoint = ws.registry.put(folder, environment="screen", policy=policy.name, run=run.id)
    return ws.registry.release("screen", {"policy": checkpoint.id})


@pytest.fixture
def waiting(ws: Workspace, pairs: list[Pair]) -> tuple[Workspace, Frozen]:
    """A home after its first night, in which a challenger that knows better waits."""
    (ws.home / "nightshift.toml").write_text(SETTINGS)
    ws = Workspace.open(ws.home)
    champion = Classifier.of_champion(ws, "screen")
    for pair in pairs:
        said = classify(ws, champion, pair.data, pair.ask)
        correct(ws, said.id, said.answer, chosen_by=ChosenBy.RANDOM_AUDIT)
    run = live_night(ws, seed=1)
    waits = Frozen(
        id="waits",
        environment="screen",
        champion=ws.store.champion("screen"),
        challenger=_fan(ws, run).id,
        run=run.id,
        upto_seq=int(str(run.config["upto_seq"])),
    )
    ws.store.add(waits)
    return ws, waits


@pytest.mark.soak
def test_a_frozen_challenger_is_promoted_in_a_whole_night(waiting: tuple[Workspace, Frozen]) -> None:
    ws, waits = waiting
    champion = Classifier.of_champion(ws, "screen")
    for song in SONGS:
        said = classify(ws, champion, _player(song), "Write the chapter on tides.")
        correct(ws, said.id, "on_task", chosen_by=ChosenBy.RANDOM_AUDIT)

    run = live_night(ws, seed=2)

    result = night_result(ws, run.id)
    assert result["outcome"] == "promoted"
    assert ws.store.champion("screen") == waits.challenger
    (decision,) = ws.store.find(Decision, challenger=waits.challenger)
    assert (decision.outcome, decision.run) == (Outcome.PROMOTED, run.id)
    (change,) = ws.store.find(Promotion, release=waits.challenger)
    assert change.decision == decision.id
    assert night.waiting(ws, "screen") == []
    assert f"Challenger {waits.challenger[:12]}, frozen for 1 night, is promoted" in night_report(ws, run.id)
