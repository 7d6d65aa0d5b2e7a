"""Charts: every point inside the frame, error bars where there are errors."""

import re
from xml.etree import ElementTree as ET

from fleet.report.gather import Mean
from fleet.report.svg import HEIGHT, WIDTH, bars, counts, line, ticks


def test_a_line_stays_inside_its_frame() -> None:
    chart = ET.fromstring(line([(0, -5.0), (10, 3.0), (40, 3.0)], "x"))
    polyline = next(each for each in chart if each.tag == "polyline")
    points = re.findall(r"([\d.]+),([\d.]+)", polyline.attrib["points"])
    assert len(points) == 3
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)


def test_steps_hold_a_value_until_the_next() -> None:
    chart = line([(0, 1.0), (10, 2.0)], "x", steps=True)
    (points,) = re.findall(r'points="([^"]+)"', chart)
    heights = [point.partition(",")[2] for point in points.split()]
    assert len(heights) == 3
    assert heights[0] == heights[1] != heights[2]


def test_a_bar_without_an_error_has_no_error_bar() -> None:
    chart = bars([Mean("a", 1, 2.0, None), Mean("b", 9, -1.0, 0.5)], "x")
    assert chart.count('class="error"') == 1
    assert (chart.count('class="up"'), chart.count('class="down"')) == (1, 1)


def test_ticks_are_few_round_and_within() -> None:
    for low, high in ((-0.7553, 2.721), (0.0, 18.02), (83_900.0, 84_010.0), (-1e-4, 3e-4)):
        found = ticks(low, high)
        assert 3 <= len(found) <= 6
        assert low <= found[0] <= found[-1] <= high
        assert all(len(f"{value:.6g}".strip("-0.")) <= 5 for value in found)


def test_counts_stand_on_zero_and_end_with_the_last() -> None:
    chart = counts([("0-1", 4), ("1-2", 0), ("2-3", 2), ("3-4", 0)], "x", hours=2.0)
    assert "2-3 (2)" in chart
    assert "3-4" not in chart
    assert chart.count(">0</text>") == 1
    assert ">2</text>" in chart
    assert ">-" not in chart


def test_names_cannot_break_out_of_the_picture() -> None:
    ET.fromstring(bars([Mean("<&>", 1, 2.0, None)], '"<x>'))


def test_nothing_is_said_in_words() -> None:
    for chart in (line([(0, 1.0)], "P&L"), bars([], "P&L"), counts([("0-1", 0)], "P&L", hours=1.0)):
        assert chart == '<p class="nothing">P&amp;L: nothing to show yet</p>'
