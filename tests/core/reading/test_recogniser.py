import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.reading import read_image
from core.reading.recogniser import BATCH_WIDTH, BATCHES, WIDTHS, _batches, _width

READ = """
import sys
from PIL import Image
from core.reading import read_image
print([line.model_dump() for line in read_image(Image.open(sys.argv[1])).lines])
"""


@given(st.lists(st.sampled_from(WIDTHS), max_size=60))
def test_every_line_is_read_once_beside_lines_of_its_width(widths: list[int]) -> None:
    batches = list(_batches(widths))
    assert sorted(i for batch in batches for i in batch) == list(range(len(widths)))
    for batch in batches:
        assert len({widths[i] for i in batch}) == 1
        assert len(batch) in BATCHES
        assert len(batch) == 1 or widths[batch[0]] * len(batch) <= BATCH_WIDTH


@given(wide=st.integers(1, 4000), high=st.integers(1, 100))
def test_a_line_is_filled_up_by_little(wide: int, high: int) -> None:
    width, natural = _width(np.zeros((high, wide, 3), dtype=np.uint8)), 48 * wide / high
    assert width in WIDTHS
    assert natural <= width <= max(48, natural * 4 / 3) or width == WIDTHS[-1]


def test_another_process_reads_the_same(drawn: Path) -> None:
    picture = drawn / "images" / "code_editor.png"
    here = [line.model_dump() for line in read_image(Image.open(picture)).lines]
    there = subprocess.run([sys.executable, "-c", READ, str(picture)], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str(here)
