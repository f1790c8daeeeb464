"""Stage A: what is written is kept, what is wrong is told, and the rest goes on."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from memory_library import MemoryLibrary
from PIL import Image

from core.environments.group_qc.missions import named
from core.environments.group_qc.prompt import SUMMARY_PROMPT
from core.environments.group_qc.summaries import GroupPhotos, Summariser, read_summaries, summarise
from core.learning.rollouts import Asked, RolloutEngine
from core.learning.rollouts.base import Sampled, completions_of
from core.learning.rollouts.in_trainer import InTrainer
from core.policy import Completions, Policy, Sampling
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import tiny_vlm
from core.schema import NightshiftError
from core.settings import VlmSettings

MISSION = named("air_baffle")


class Scripted(RolloutEngine):
    """Says of each photo what it is told to say."""

    name = "scripted"

    def __init__(self, says: dict[str, str], *, dies_after: int = 1000) -> None:
        self.says, self.left, self.asked = says, dies_after, 0

    def refresh(self, policy: Policy) -> None:
        self.policy = policy

    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:  # noqa: ARG002
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        self.asked += len(asked)
        tokens = [self.policy.tokens_of(self.says[each.example.media[0]]) for each in asked]
        return completions_of([[Sampled(each, [0.0] * len(each), True)] for each in tokens], self.policy.model.device)

    def close(self) -> None:
        """Nothing was begun."""


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> VlmPolicy:
    folder = tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))
    return VlmPolicy.create(SUMMARY_PROMPT, VlmSettings(model=str(folder), max_pixels=56 * 56))


@pytest.fixture
def library() -> MemoryLibrary:
    return MemoryLibrary()


def photos(library: MemoryLibrary, count: int) -> list[str]:
    return [library.add(f"{place}", image=Image.new("RGB", (56, 56), (place * 20, 40, 90))) for place in range(count)]


def writer(student: VlmPolicy, library: MemoryLibrary, engine: RolloutEngine, at_once: int = 3) -> Summariser:
    return Summariser(student, engine, library, stage="one", at_once=at_once)


def test_each_group_is_one_line_of_the_file_with_its_photos_in_order(
    student: VlmPolicy, library: MemoryLibrary, tmp_path: Path
) -> None:
    a, b, c = photos(library, 3)
    engine = Scripted({a: "正面，挡风板齐全", b: "左侧，缺少挡风板", c: "远景，看不清挡风板"})
    groups = [GroupPhotos("north", (a, b)), GroupPhotos("south", (c,))]
    out = tmp_path / "lines.jsonl"
    made = list(summarise(groups, MISSION, writer(student, library, engine), out))
    assert [each.summaries for each in made] == [("正面，挡风板齐全", "左侧，缺少挡风板"), ("远景，看不清挡风板",)]
    first = json.loads(out.read_text().splitlines()[0])
    assert list(first)[-2:] == ["图片_1", "图片_2"]
    assert read_summaries(out) == made


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "empty"),
        ("正面\n缺少挡风板", "2 lines"),
        ("a missing baffle", "not a line of Chinese"),
        ("好" * 201, "201 c"),
    ],
)
def test_a_group_with_a_bad_line_is_stopped_and_told_and_the_rest_goes_on(
    student: VlmPolicy, library: MemoryLibrary, tmp_path: Path, said: str, why: str
) -> None:
    a, b, c = photos(library, 3)
    engine = Scripted({a: "正面，挡风板齐全", b: said, c: "正面，挡风板齐全"})
    groups = [GroupPhotos("north", (a, b)), GroupPhotos("south", (c,))]
    north, south = summarise(groups, MISSION, writer(student, library, engine), tmp_path / "lines.jsonl")
    assert north.summaries == ()
    assert north.error is not None
    assert north.error.startswith("group north: 图片_2: ")
    assert why in north.error
    assert south.summaries == ("正面，挡风板齐全",)


def test_a_photo_that_cannot_be_read_stops_its_group_alone(student: VlmPolicy, library: MemoryLibrary) -> None:
    (a,) = photos(library, 1)
    engine = Scripted({a: "正面，挡风板齐全"})
    groups = [GroupPhotos("north", ("no such photo",)), GroupPhotos("south", (a,))]
    north, south = summarise(groups, MISSION, writer(student, library, engine))
    assert "cannot be read" in (north.error or "")
    assert south.error is None


def test_a_run_that_was_killed_goes_on_where_it_was(student: VlmPolicy, library: MemoryLibrary, tmp_path: Path) -> None:
    ids = photos(library, 6)
    says = {each: f"正面，挡风板齐全，第{place}张" for place, each in enumerate(ids)}
    groups = [GroupPhotos(f"g{place}", tuple(ids[2 * place : 2 * place + 2])) for place in range(3)]
    out = tmp_path / "lines.jsonl"
    with pytest.raises(KeyboardInterrupt):
        list(summarise(groups, MISSION, writer(student, library, Scripted(says, dies_after=1)), out))
    with out.open("a") as file:
        file.write('{"group": "g1", "mission": "air')  # what a kill leaves half-written
    again = Scripted(says)
    made = list(summarise(groups, MISSION, writer(student, library, again), out))
    assert again.asked == 4
    assert [each.group for each in made] == ["g0", "g1", "g2"]
    assert read_summaries(out) == made


def test_lines_of_another_stage_or_of_other_photos_are_written_anew(
    student: VlmPolicy, library: MemoryLibrary, tmp_path: Path
) -> None:
    a, b = photos(library, 2)
    says, out = {a: "正面，挡风板齐全", b: "左侧，缺少挡风板"}, tmp_path / "lines.jsonl"
    list(summarise([GroupPhotos("north", (a,))], MISSION, writer(student, library, Scripted(says)), out))
    engine = Scripted(says)
    (made,) = summarise([GroupPhotos("north", (a, b))], MISSION, writer(student, library, engine), out)
    assert (engine.asked, len(made.summaries)) == (2, 2)
    assert read_summaries(out) == [made]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("图片_2", "图片_3"), "图片_2 is missing"),
        (('"图片_1"', '"图片_0"'), "图片_1 is missing"),
        (("左侧，缺少挡风板", "missing"), "not a line of Chinese"),
        (("{", "["), "not JSON"),
    ],
)
def test_a_file_that_somebody_changed_is_refused_with_its_line(
    student: VlmPolicy, library: MemoryLibrary, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    a, b = photos(library, 2)
    out = tmp_path / "lines.jsonl"
    engine = Scripted({a: "正面，挡风板齐全", b: "左侧，缺少挡风板"})
    list(summarise([GroupPhotos("north", (a, b))], MISSION, writer(student, library, engine), out))
    out.write_text(out.read_text().replace(*change))
    with pytest.raises(NightshiftError, match=f"line 1: .*{says}"):
        read_summaries(out)


def test_an_engine_writes_the_same_lines_in_a_batch_as_one_by_one(student: VlmPolicy, library: MemoryLibrary) -> None:
    groups = [GroupPhotos(f"g{place}", (each,)) for place, each in enumerate(photos(library, 4))]

    def lines(at_once: int) -> list[tuple[tuple[str, ...], str | None]]:
        made = summarise(groups, MISSION, writer(student, library, InTrainer(), at_once))
        return [(each.summaries, each.error) for each in made]

    assert lines(4) == lines(1)
