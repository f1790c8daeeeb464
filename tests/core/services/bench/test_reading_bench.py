"""The reading benchmark: what it counts as a change, and where recordings come from."""

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.environments.screen.draw import draw_samples
from core.schema import NightshiftError
from core.services import Workspace
from core.services.bench.reading import bench_reading


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    draw_samples(folder)
    return folder


def _frame(path, *lines):
    image = Image.new("RGB", (1280, 720), "white")
    for row, text in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 80 * row), text, fill="black", font=ImageFont.load_default(28))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def test_a_recording_is_met_change_by_change(tmp_path, samples):
    _frame(tmp_path / "frames/editor/001.png", "Quarterly report", "Draft of the summary")
    _frame(tmp_path / "frames/editor/002.png", "Quarterly report", "Draft of the summary")
    _frame(tmp_path / "frames/editor/003.png", "Quarterly report", "Draft of the summary", "Sales rose by a tenth")
    _frame(tmp_path / "frames/alone/001.png", "A single picture is no recording")

    found = bench_reading(Workspace.open(tmp_path / "home"), "screen", samples, 1, frames=tmp_path / "frames")

    assert found["incremental"]["n"] == 5
    assert found["recorded"]["n"] == 1  # the repeated picture is none
    assert found["recorded"]["verdicts_equal"] == found["recorded"]["lines_equal"] == 1


def test_a_folder_without_recordings_is_refused_before_anything_is_read(tmp_path, samples):
    (tmp_path / "frames").mkdir()
    with pytest.raises(NightshiftError, match="no folder with two pictures"):
        bench_reading(Workspace.open(tmp_path / "home"), "screen", samples, 1, frames=tmp_path / "frames")
