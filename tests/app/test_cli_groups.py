"""Group quality control on the command line, with a tiny model that nobody taught: it is told, and nothing breaks."""

from pathlib import Path
from typing import Any

import pytest
from forked import nightshift

from core.environments.group_qc.drawing import draw_groups, drawn_group
from core.policy.vlm.tiny import tiny_vlm


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    model = tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))
    (home / "nightshift.toml").write_text(
        f'environments = ["group_qc"]\n[group_qc]\nmodel = "{model}"\nsummary_max_pixels = 3136\nsummary_tokens = 8\n'
        "max_new_tokens = 24\n"
    )
    return home


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("drawn")
    draw_groups(directory, [drawn_group(number, mission="cable_routing") for number in range(2)])
    (directory / "holiday.png").touch()
    return directory


def test_a_day_tells_every_group_and_what_is_in_none(home: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.jsonl"
    told = ("group", "day", str(folder), "--mission", "cable_routing", "--out", str(out), "--home", str(home), "--json")
    ended = nightshift(tmp_path, *told)
    assert ended.status == 0, ended.err
    groups = {each["group"]: each for each in ended.answer["groups"]}
    assert set(groups) == {drawn_group(number, mission="cable_routing").name for number in range(2)}
    assert all(("error" in each) != ("verdict" in each) for each in groups.values())
    assert ended.answer["left_out"][0]["file"] == "holiday.png"
    assert len(out.read_text().splitlines()) == 2


def test_evaluating_says_the_figures_of_both_errors(home: Path, folder: Path, tmp_path: Path) -> None:
    told = ("evaluate", "--environment", "group_qc", "--dataset", str(folder), "--home", str(home), "--json")
    ended = nightshift(tmp_path, *told)
    assert ended.status == 0, ended.err
    assert ended.answer["n"] == 2
    assert {"accuracy", "false_pass_rate", "false_fail_rate", "format_rate"} <= set(ended.answer)
    assert set(ended.answer["by_mission"]) == {"cable_routing"}


def test_commands_of_every_environment_answer_about_groups(home: Path, folder: Path, tmp_path: Path) -> None:
    def told(*arguments: str) -> dict[str, Any]:
        ended = nightshift(tmp_path, *arguments, "--environment", "group_qc", "--home", str(home), "--json")
        assert ended.status == 0, ended.err
        return ended.answer

    taken_in = told("import", str(folder))
    assert taken_in["groups"] + len(taken_in["rejected"]) == 2
    assert told("disputes", "list") == {"environment": "group_qc", "disputes": []}
    assert told("data", "versions") == {"versions": []}
    audited = told("judge", "audit")
    assert (audited["environment"], [each["judge"] for each in audited["audits"]]) == ("group_qc", ["reading"])


NOT_SERVED = (
    'screen is not served here, only group_qc; to have it, set environments = ["group_qc", "screen"] in nightshift.toml'
)


@pytest.mark.parametrize(
    ("command", "environment", "says"),
    [
        (("models", "history"), "screen", NOT_SERVED),
        (("nightly",), "screen", NOT_SERVED),
        (("train", "--method", "sft", "--dataset", "nowhere"), "screen", NOT_SERVED),
        (("import", "nowhere"), "documents", "no environment 'documents'; there are: screen, group_qc"),
    ],
)
def test_an_environment_that_is_not_served_or_not_known_is_told_in_one_line(
    home: Path, tmp_path: Path, command: tuple[str, ...], environment: str, says: str
) -> None:
    ended = nightshift(tmp_path, *command, "--environment", environment, "--home", str(home), "--json")
    assert (ended.status, ended.answer) == (1, {"error": says})


def test_what_cannot_be_is_told_in_one_line(home: Path, folder: Path, tmp_path: Path) -> None:
    group = folder / drawn_group(0, mission="cable_routing").name
    wrong = nightshift(tmp_path, "group", "inspect", str(group), "--mission", "doors", "--home", str(home))
    assert (wrong.status, "no mission 'doors'" in wrong.err) == (1, True)
    elsewhere = nightshift(
        tmp_path, "group", "watch", "--home", str(tmp_path / "other"), NIGHTSHIFT_ENVIRONMENTS='["screen"]'
    )
    assert (elsewhere.status, "is not served here" in elsewhere.err) == (1, True)


def test_drawn_groups_can_be_measured_on_at_once(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "groups"
    told = ("group", "draw", "--out", str(out), "--count", "4", "--seed", "3", "--json")
    drawn = nightshift(tmp_path / "drawing", *told)
    assert drawn.status == 0, drawn.err
    assert drawn.answer["groups"] == sum(drawn.answer["verdicts"].values()) == 4
    assert set(drawn.answer["missions"].values()) == {1}
    assert drawn.answer["photos"] == len(list(out.glob("*/*.png")))
    told = ("evaluate", "--environment", "group_qc", "--dataset", str(out), "--home", str(home), "--json")
    measured = nightshift(tmp_path / "measuring", *told)
    assert measured.status == 0, measured.err
    assert set(measured.answer["by_mission"]) == set(drawn.answer["missions"])


def test_nothing_is_drawn_over_what_is_there_or_for_a_mission_that_is_none(folder: Path, tmp_path: Path) -> None:
    before = sorted(folder.rglob("*"))
    over = nightshift(tmp_path / "over", "group", "draw", "--out", str(folder), "--json")
    assert over.status != 0 and "not empty" in over.answer["error"]
    assert sorted(folder.rglob("*")) == before
    told = ("group", "draw", "--out", str(tmp_path / "new"), "--mission", "roof", "--json")
    unknown = nightshift(tmp_path / "unknown", *told)
    assert unknown.status != 0 and "'roof'; choose installation_direction" in unknown.answer["error"]
    assert not (tmp_path / "new").exists()
