import pytest

from core.reading import Line, window_title


def line(text: str, *, left: float = 0.4, top: float = 0.01, right: float = 0.6) -> Line:
    return Line(text=text, box=(left, top, right, top + 0.02), score=0.9)


def test_the_line_in_the_middle_of_the_top_is_the_title() -> None:
    menu = line("File Edit View", left=0.0, right=0.1)
    clock = line("Tue 14:05 battery", left=0.9, right=1.0)
    assert window_title([menu, line("report.odt - Writer"), clock]) == "report.odt - Writer"


def test_a_long_line_at_the_side_wins_over_a_short_one_in_the_middle() -> None:
    long = line("Minutes of the committee meeting in March - Document viewer", left=0.0, right=0.6)
    assert window_title([line("Menu"), long]) == long.text


@pytest.mark.parametrize("text", ["12:45", "100%", "<>", "a - b"])
def test_a_line_of_less_than_four_letters_is_no_title(text: str) -> None:
    assert window_title([line(text)]) is None


def test_a_line_below_the_top_band_is_no_title() -> None:
    assert window_title([line("A heading of the page", top=0.06)]) is None


def test_a_screen_without_lines_has_no_title() -> None:
    assert window_title([]) is None


def test_letters_of_any_script_make_a_title() -> None:
    assert window_title([line("Отчёт за март")]) == "Отчёт за март"
