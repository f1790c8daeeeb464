"""The simulated nights, a few of them; `nightshift bench gate` and the soak lane live through many."""

import pytest

from core.services.bench import gate
from core.services.bench.gate import bench_gate


def test_the_bench_says_all_it_promises_and_the_same_again(monkeypatch):
    monkeypatch.setattr(gate, "CELLS", gate.CELLS[:4])
    monkeypatch.setattr(gate, "DRIFT", 3)
    told = []
    found = bench_gate(nights=2, progress=lambda done, total: told.append((done, total)))
    assert list(found) == [
        "false_promotion_rate",
        "harmful_promotion_rate",
        "power_5pt",
        "power_10pt",
        "drift_100_nights",
        "cells",
    ]
    assert [cell["cell"] for cell in found["cells"]] == [cell.name for cell in gate.CELLS] + ["drift"]
    assert told[-1][0] == told[-1][1]
    assert bench_gate(nights=2) == found


@pytest.mark.soak
def test_the_shipped_gate_keeps_what_it_promises():
    found = bench_gate()
    cells = {cell["cell"]: cell for cell in found["cells"]}
    assert found["false_promotion_rate"] <= 0.05
    assert found["harmful_promotion_rate"] <= 0.005
    assert found["power_5pt"] >= 0.70
    assert cells["5 points better"]["within_five"] >= 0.90
    assert found["power_10pt"] >= 0.95
    assert found["drift_100_nights"] >= 0
