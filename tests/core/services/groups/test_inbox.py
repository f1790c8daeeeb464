"""What lies in the inbox is inspected once, and what cannot be is told."""

import shutil
from pathlib import Path

import pytest

from core.environments.group_qc.drawing import DrawnGroup
from core.environments.group_qc.summaries import Summariser
from core.schema import NightshiftError, Prediction
from core.services import Workspace, review_queue
from core.services.groups import inspect_inbox


@pytest.fixture
def inbox(tmp_path: Path, folder: Path, drawn: list[DrawnGroup]) -> Path:
    """Two groups of a mission, and the third of one that nobody knows."""
    found = tmp_path / "inbox"
    for group, mission in zip(drawn, ("air_baffle", "air_baffle", "painting"), strict=True):
        shutil.copytree(folder / group.name, found / mission / group.name)
    return found


@pytest.fixture
def receiving(ws: Workspace, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The home with that inbox. Stage A says one line of every photo, which random weights would not."""
    monkeypatch.setattr(Summariser, "write", lambda *asked: [("正面，挡风板齐全，标签清晰", None) for _ in asked[-1]])
    told = ws.settings.group_qc.model_dump(exclude_unset=True)
    return Workspace.open(ws.home, environments=("group_qc",), group_qc={**told, "inbox": inbox})


def test_what_is_new_is_inspected_once_and_waits_for_a_person(
    receiving: Workspace, inbox: Path, drawn: list[DrawnGroup]
) -> None:
    first = inspect_inbox(receiving, "group_qc")
    assert first is not None
    assert (first["inspected"], first["stopped"]) == (2, [])
    ((unknown),) = first["left_out"]
    assert unknown["file"] == str(inbox / "painting") and "painting" in unknown["reason"]
    assert {item.prediction.session for item in review_queue(receiving, "group_qc")} == {
        each.name for each in drawn[:2]
    }

    again = inspect_inbox(receiving, "group_qc")
    assert again == {**first, "inspected": 0}
    (inbox / "air_baffle" / drawn[0].name / "9.png").write_bytes(
        (inbox / "painting" / drawn[2].name / "1.png").read_bytes()
    )
    assert inspect_inbox(receiving, "group_qc")["left_out"][0]["reason"].endswith(  # type: ignore[index]
        f"has photo 9 and no photo {len(drawn[0].photos) + 1}"
    )
    (inbox / "air_baffle" / drawn[0].name / "9.png").rename(
        inbox / "air_baffle" / drawn[0].name / f"{len(drawn[0].photos) + 1}.png"
    )
    assert inspect_inbox(receiving, "group_qc") == {**first, "inspected": 1}
    assert receiving.store.count(Prediction) == 3


def test_who_is_killed_before_a_group_is_done_looks_at_it_again(receiving: Workspace) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        inspect_inbox(receiving, "group_qc", progress=die)
    kept = (receiving.home / "inbox.jsonl").read_text()
    (receiving.home / "inbox.jsonl").write_text(kept + '\n["air_baffle", "cut off by a ki')
    assert inspect_inbox(receiving, "group_qc")["inspected"] == 1  # type: ignore[index]


def test_without_an_inbox_nothing_happens_and_one_that_is_gone_is_told(receiving: Workspace, inbox: Path) -> None:
    assert inspect_inbox(receiving, "screen") is None
    shutil.rmtree(inbox)
    with pytest.raises(NightshiftError, match="there is no folder"):
        inspect_inbox(receiving, "group_qc")
