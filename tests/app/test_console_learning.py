import xml.etree.ElementTree as ET

import pytest

from app.console.learning import learning_curves
from core.evaluation.charts import Curve, curve_chart


def steps(challenger, count):
    return [
        {"challenger": challenger, "step": n, "reward": n / 100, "kl": None, "entropy": 0.5, "seconds": 0.02 * n}
        for n in range(1, count + 1)
    ]


def test_nothing_is_drawn_before_the_first_step():
    assert learning_curves([], 200) == ""


def test_a_training_at_work_says_how_far_it_is():
    drawn = learning_curves(steps("full", 7), 200)
    assert "The challenger: step 7 of 200" in drawn
    assert "0.01 → 0.07" in drawn
    assert "20 ms a step" in drawn
    assert "Distance from the champion" not in drawn  # it never had a value


def test_words_that_entered_while_it_trained_are_counted():
    heard = steps("full", 30)
    heard[10]["words_entered"], heard[20]["words_entered"] = 1.0, 2.0
    drawn = learning_curves([*heard, {**heard[10], "challenger": "fold-0"}])
    assert "3 words said meanwhile entered." in drawn
    assert "meanwhile" not in learning_curves(steps("full", 30))


def test_while_the_evidence_is_trained_the_curves_stay_those_of_the_challenger():
    drawn = learning_curves([*steps("full", 9), *steps("fold-0", 2)], 9)
    assert "Evidence, fold 1: step 2 of 9" in drawn
    assert "0.01 → 0.09" in drawn


def test_a_training_that_is_done_names_no_step_to_come():
    assert " of " not in learning_curves(steps("full", 9)).partition("<figcaption>")[2]


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [None, 0.25, None], [float(n % 7) for n in range(2000)]])
def test_a_curve_stays_inside_its_row_whatever_its_values(values):
    drawn = ET.fromstring(curve_chart([Curve("a <b> & c", values), Curve("never", [None])], title="t"))
    (line,) = drawn.iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    _, _, width, height = map(float, drawn.get("viewBox").split())
    assert 1 <= len(points) <= 201
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
