import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("interleavings.py")
SHORT, ALL = 20, 500


def interleave(tmp_path: Path, first: int, count: int) -> dict[str, int]:
    """What came of so many orders of events; the first one after which something does not hold fails the test."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path), str(first), str(count)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_in_twenty_orders_of_events_there_is_always_one_whole_champion_and_a_true_history(tmp_path):
    told = interleave(tmp_path, 0, SHORT)
    assert told["interleavings"] == SHORT
    assert told["killed"] and told["promoted"] and told["lost the lease"] and told["quarantined"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_in_five_hundred_orders_of_events_there_is_always_one_whole_champion_and_a_true_history(tmp_path):
    assert interleave(tmp_path, SHORT, ALL - SHORT)["interleavings"] == ALL - SHORT
