"""The stage of the night that makes variants: of what, within what budget, settled by whom, and again after a kill."""

import io
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, running
from hypothesis import given
from hypothesis import strategies as st
from labelled_folder import Pair
from PIL import Image, ImageDraw

from core.judge import Spent
from core.schema import Alternative, Example, Judgment, NightshiftError, Prediction, Run, Variant, content_id
from core.services import Classifier, Workspace, classify, correct, night
from core.services.judging import teacher_of
from core.services.night.ingest import last_verdicts, snapshot
from core.services.night.pictures import Candidate, Piece, _within_bounds, in_this_process
from core.services.night.variants import _confirmed, _sorted_out, make_variants_by
from core.settings import MediaSettings
from core.store import Lease

SETTINGS = """
[learning]
variants_per_correction = 4
[variants]
picture_seconds = {seconds}
off = {off}
[gate]
golden_share = 0.0
"""


def home_with(ws: Workspace, *, seconds: float = 0.0, off: str = "[]", more: str = "") -> Workspace:
    (ws.home / "nightshift.toml").write_text(SETTINGS.format(seconds=seconds, off=off) + more)
    return Workspace.open(ws.home)


def lease_of(ws: Workspace) -> Lease:
    return ws.store.lease(night.lease_name("screen"), "test", 600)


def varied(ws: Workspace, run: Run, stage: night.Stage = night.make_variants) -> dict[str, Any]:
    with lease_of(ws) as lease:
        night.ingest(ws, run, lease)
        return stage(ws, run, lease).result


def test_a_kind_that_is_switched_off_is_not_made(imported: Workspace) -> None:
    ws = home_with(imported, off='["reworded"]')
    made = varied(ws, night.begin(ws, "screen", seed=1))["made"]
    assert made and "reworded" not in made


def test_a_night_refuses_to_begin_without_a_kind_that_there_is_not(imported: Workspace) -> None:
    ws = home_with(imported, off='["rewordet"]')
    with pytest.raises(NightshiftError, match=r"'variants.off' names 'rewordet', which is no kind .*: reworded, "):
        night.begin(ws, "screen", seed=1)
    assert ws.store.find(Run) == []


def test_a_night_that_is_killed_between_pictures_makes_the_same_when_it_runs_again(
    imported: Workspace, tmp_path: Path
) -> None:
    ws = home_with(imported, seconds=1.5)
    run = night.begin(ws, "screen", seed=1)
    other = Workspace.open(Path(shutil.copytree(ws.home, tmp_path / "other")))

    def dies(ws: Workspace, environment: str, pieces: Sequence[Piece]) -> Iterator[list[Candidate]]:
        yield next(iter(in_this_process(ws, environment, pieces)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        varied(ws, run, make_variants_by(dies))
    assert night.stage_result(ws, run.id, "variants") is None
    again, undisturbed = varied(ws, run), varied(other, run)
    assert again == undisturbed
    assert again["picture_seconds"] > 0


def test_verdicts_that_the_judge_contradicted_have_variants_without_an_answer(
    imported: Workspace, pairs: list[Pair]
) -> None:
    ws = home_with(imported)
    said = classify(ws, Classifier.of_champion(ws, "screen"), pairs[0].data, "Water the tomatoes on the balcony.")
    contradict(ws, said)
    run = night.begin(ws, "screen", seed=1)
    result = varied(ws, run)
    assert result["disagreements"] == 1
    of_it = [each for each in ws.store.find(Variant) if each.parent == said.example]
    assert of_it and {each.answer for each in of_it} == {None}
    assert {each.how for each in of_it} <= {"reworded", "translated"}
    with lease_of(ws) as lease:
        judged = night.judge(ws, run, lease).result
    labels = len(ws.store.labels("screen"))
    assert judged["judged"] == labels + len(judged["doubtful"]) + len(of_it)


def test_nothing_is_made_of_a_verdict_on_which_people_differ(imported: Workspace, pairs: list[Pair]) -> None:
    ws = home_with(imported)
    said = classify(ws, Classifier.of_champion(ws, "screen"), pairs[0].data, "Water the tomatoes on the balcony.")
    contradict(ws, said)
    for reviewer, answer in (("ann", "on_task"), ("ben", "off_task")):
        correct(ws, said.id, answer, reviewer=reviewer)
    run = night.begin(ws, "screen", seed=1)
    assert said.example in {label.example for label in snapshot(ws, run).disputed}
    assert varied(ws, run)["disagreements"] == 0
    assert [each for each in ws.store.find(Variant) if each.parent == said.example] == []


def test_verdicts_given_since_a_night_began_push_none_out_of_those_that_it_looks_through(
    imported: Workspace, pairs: list[Pair]
) -> None:
    ws = home_with(imported)
    champion = Classifier.of_champion(ws, "screen")
    for number in range(3):
        classify(ws, champion, pairs[0].data, f"Water tomato number {number}.")
    run = night.begin(ws, "screen", seed=1)
    before = last_verdicts(ws, run, 2)
    assert len(before) == 2
    for number in range(3, 6):
        classify(ws, champion, pairs[0].data, f"Water tomato number {number}.")
    assert last_verdicts(ws, run, 2) == before


def contradict(ws: Workspace, said: Prediction) -> None:
    """As if an earlier night's judge had said the opposite."""
    teacher = teacher_of(ws, "screen")
    (example,) = ws.store.get_many(Example, [said.example])
    answers = example.answers or ()
    scores = tuple(Alternative(answer=answer, score=float(answer != said.answer)) for answer in answers)
    ws.store.add(
        Judgment(
            id=teacher.judgment_id(example, answers),
            environment="screen",
            example=example.id,
            judge=teacher.name,
            prompt_version=teacher.prompt_version,
            scores=scores,
        )
    )


def a_moment_later(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    ImageDraw.Draw(image).rectangle((2, image.height - 12, 14, image.height - 2), "navy")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_what_stood_next_in_the_session_stands_for_a_corrected_screen(ws: Workspace, pairs: list[Pair]) -> None:
    ws = home_with(ws)
    champion = Classifier.of_champion(ws, "screen")
    first = classify(ws, champion, pairs[0].data, pairs[0].ask, session="morning")
    classify(ws, champion, a_moment_later(pairs[0].data), pairs[0].ask, session="morning")
    other = next(pair for pair in pairs if pair.file != pairs[0].file)
    classify(ws, champion, other.data, pairs[0].ask, session="morning")
    correct(ws, first.id, pairs[0].label)
    varied(ws, night.begin(ws, "screen", seed=1))
    (made,) = ws.store.find(Variant, how="neighbour")
    mine, theirs = ws.store.get_many(Example, [first.example, made.example])
    assert (made.parent, made.answer, theirs.ask) == (first.example, pairs[0].label, pairs[0].ask)
    assert theirs.cluster == mine.cluster and theirs.media != mine.media, "and the other screen is of another cluster"


@given(st.integers(8, 400), st.integers(8, 400), st.integers(64, 300), st.integers(4_000, 60_000))
def test_no_picture_of_a_variant_is_larger_than_one_that_is_taken_in(
    width: int, height: int, max_side: int, max_pixels: int
) -> None:
    kept = _within_bounds(Image.new("RGB", (width, height)), MediaSettings(max_side=max_side, max_pixels=max_pixels))
    assert max(kept.size) <= max_side and kept.width * kept.height <= max_pixels
    if max(width, height) <= max_side and width * height <= max_pixels:
        assert kept.size == (width, height)


def candidate(example: Example, answer: str | None, left: float, *, doubtful: bool = False) -> Candidate:
    return Candidate(
        how="occluded", parent="p", example=example, answer=answer, parameters={}, left=left, doubtful=doubtful
    )


def test_what_shows_little_is_dropped_and_what_shows_some_is_for_the_judge(imported: Workspace) -> None:
    example = imported.store.find(Example)[0]
    shares = [candidate(example, "on_task", left) for left in (1.0, 0.6, 0.5, 0.36, 0.3)]
    kept, doubtful = _sorted_out([*shares, candidate(example, "on_task", 1.0, doubtful=True)])
    assert [each.left for each in kept] == [1.0, 0.6]
    assert [each.left for each in doubtful] == [0.5, 0.36, 1.0]
    assert _sorted_out([candidate(example, None, 0.5)]) == ([], []), "of a disagreement the judge would repeat itself"


def test_the_judge_keeps_a_doubtful_variant_whose_answer_it_gives_itself(imported: Workspace) -> None:
    ws = imported
    run = night.begin(ws, "screen", seed=1)
    examples = ws.store.find(Example)
    teacher = teacher_of(ws, "screen")
    verdicts = {each.id: teacher.judge(each, each.answers or (), ws.library).verdict for each in examples}
    asked = [candidate(each, answer, 0.5) for each in examples for answer in ("on_task", "off_task")]
    with lease_of(ws) as lease:
        confirmed = _confirmed(ws, run, lease, asked, Spent())
    assert {(each.example.id, each.answer) for each in confirmed} == {
        (example, verdict) for example, verdict in verdicts.items() if verdict is not None
    }
    assert any(verdict is not None for verdict in verdicts.values())


def test_what_the_judges_model_writes_is_kept_and_not_written_twice(imported: Workspace) -> None:
    label = imported.store.labels("screen")[0]
    (example,) = imported.store.get_many(Example, [label.example])
    server = ChatServer(rewrites_as=f"Kindly do this now: {example.ask}")
    with running(server):
        judge = f'[judging]\nbase_url = "{server.url}"\nmodel = "tiny"\ntries = 1\n'
        ws = home_with(imported, off='["translated", "other_work", "near_miss"]', more=judge)
        ws = Workspace.open(ws.home, judge="openai")
        run = night.begin(ws, "screen", seed=1)
        result = varied(ws, run)
        labelled = ws.store.get_many(Example, [word.example for word in ws.store.labels("screen")])
        asked = len({each.ask for each in labelled})
        calls = len(server.requests)
        assert calls >= asked and result["written_tokens"] == 1010 * asked
        written = [each for each in ws.store.find(Variant, how="reworded") if each.parameters == {"asked": "reworded"}]
        assert [each.parent for each in written] == [example.id], "of the others it is no paraphrase"
        assert content_id(written[0].example, "reworded", written[0].answer) in result["ids"]
        night.abandon(ws, run, "another night")
        varied(ws, night.begin(ws, "screen", seed=2))
        assert len(server.requests) - calls <= asked - 1
