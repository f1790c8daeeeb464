from pathlib import Path

import pytest

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import missions, named
from core.schema import NightshiftError

OWN = """
name = "rack_level"
title = "机柜水平"
focus = "机柜放平"
checklist = ["四脚着地"]
prompt = "说明机柜是否放平。"
"""


def test_four_missions_are_shipped_and_a_folder_adds_to_them(tmp_path: Path) -> None:
    (tmp_path / "rack_level.toml").write_text(OWN)
    shipped = {"air_baffle", "cable_routing", "grounding_cable", "installation_direction"}
    assert set(missions()) == shipped
    assert set(missions(tmp_path)) == shipped | {"rack_level"}
    assert named("rack_level", tmp_path).checklist == ("四脚着地",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN.replace("rack_level", "other"), "file and name must agree"),
        (OWN.replace("机柜水平", "走线"), "two missions have the title"),
        (OWN + "colour = 1", "colour"),
        (OWN.replace('"四脚着地"', '"四脚\\n着地"'), "one line"),
        ("name =", "cannot be read"),
    ],
)
def test_a_mission_that_does_not_fit_is_named_with_why(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "rack_level.toml").write_text(text)
    with pytest.raises(NightshiftError, match=says):
        missions(tmp_path)


def test_an_unknown_mission_is_told_those_there_are() -> None:
    with pytest.raises(NightshiftError, match="air_baffle, cable_routing"):
        named("doors")


def test_a_dossier_is_read_back_as_it_was_written() -> None:
    dossier = Dossier.of(named("air_baffle"), ["正面，挡风板齐全", "远景，看不清挡风板"])
    assert Dossier.parse(dossier.text) == dossier


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("图片_2", "图片_3"), "图片_2： is wanted in line 5"),
        (("任务：", "任务"), "is described by"),
        (("远景，看不清挡风板", "far away"), "not a line of Chinese"),
    ],
)
def test_a_dossier_that_does_not_fit_is_refused(change: tuple[str, str], says: str) -> None:
    text = Dossier.of(named("air_baffle"), ["正面，挡风板齐全", "远景，看不清挡风板"]).text
    with pytest.raises(NightshiftError, match=says):
        Dossier.parse(text.replace(*change))
