"""A home that serves groups, with tiny models, and drawn groups in a folder."""

from pathlib import Path

import pytest

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.drawing import DrawnGroup, draw_groups, drawn_group
from core.environments.group_qc.missions import missions
from core.media import intake
from core.policy.vlm.tiny import tiny_vlm
from core.services import Workspace
from core.services.groups import Inspector


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [Dossier.of(missions()[group.mission], group.summaries).text for group in map(drawn_group, range(20))]
    return tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"), corpus=texts)


@pytest.fixture
def ws(tmp_path: Path, tiny: Path) -> Workspace:
    told = {"model": str(tiny), "summary_max_pixels": 56 * 56, "summary_tokens": 24, "max_new_tokens": 24}
    return Workspace.open(tmp_path / "home", environments=("group_qc",), group_qc=told)


@pytest.fixture
def drawn() -> list[DrawnGroup]:
    return [drawn_group(number, mission="air_baffle") for number in range(3)]


@pytest.fixture
def folder(tmp_path: Path, drawn: list[DrawnGroup]) -> Path:
    draw_groups(tmp_path / "drawn", drawn)
    return tmp_path / "drawn"


@pytest.fixture
def inspector(ws: Workspace, folder: Path, drawn: list[DrawnGroup], monkeypatch: pytest.MonkeyPatch) -> Inspector:
    """Stage A says the truth of every photo, in place of what random weights would."""
    made = Inspector.load(ws)
    said: dict[str, str] = {}
    for group in drawn:
        for number, line in enumerate(group.summaries, start=1):
            media, _ = intake((folder / group.name / f"{number}.png").read_bytes(), ws.settings.media)
            said[media.id] = line

    def write(mission: object, media: list[str]) -> list[tuple[str | None, str | None]]:  # noqa: ARG001
        return [(said[each], None) for each in media]

    monkeypatch.setattr(made.summariser, "write", write)
    return made
