"""Charts: every point inside the frame, error bars where there are errors."""

import re
from xml.etree import ElementTree as ET

from fleet.report.gather import Mean
from fleet.report.svg import HEIGHT, WIDTH, bars, counts, line


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


def test_names_cannot_break_out_of_the_picture() -> None:
    ET.fromstring(bars([Mean("<&>", 1, 2.0, None)], '"<x>'))


def test_nothing_is_said_in_words() -> None:
    for chart in (line([(0, 1.0)], "P&L"), bars([], "P&L"), counts([("0-1", 0)], "P&L")):
        assert chart == '<p class="nothing">P&amp;L: nothing to show yet</p>'
