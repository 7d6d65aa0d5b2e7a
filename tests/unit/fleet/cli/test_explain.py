"""``fleet explain`` as printed: the columns add up, and a market without quotes names its gate."""

from typing import Any

import msgspec

from agents.events import PauseChanged
from fleet.cli.explain import lines
from tests.unit.agents.driver import Driver, holding, quoting


def told(driver: Driver) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(driver.engine.explain(driver.now_ns))
    )
    return answer


def test_the_columns_add_up() -> None:
    printed = list(lines(told(quoting(state=holding("-20")))))
    first = printed.index(next(line for line in printed if line.startswith("bps from")))
    total = [0.0, 0.0]
    sums: dict[str, list[float]] = {}
    for line in printed[first + 1 :]:
        if line.startswith("  price"):
            break
        values = [float(cell) for cell in line[34:].split()]
        if line.startswith("= "):
            sums[line[2:34].strip()] = values
            assert all(abs(a - b) < 1e-3 for a, b in zip(total, values, strict=True)), line
        else:
            total = [a + b for a, b in zip(total, values, strict=True)]
    assert set(sums) == {"half-spread", "first level"}
    assert any("inventory x skew" in line for line in printed)


def test_it_names_beliefs_floors_skew_and_orders() -> None:
    text = "\n".join(lines(told(quoting())))
    for word in (
        "SOL  QUOTING",
        "fair",
        "sigma",
        "kappa",
        "own",
        "cross",
        "floors    bid",
        "resting",
    ):
        assert word in text


def test_a_paused_market_says_its_gate_and_no_quote() -> None:
    driver = quoting()
    driver.tell(PauseChanged(paused=True))
    driver.pass_s(1.0)
    printed = list(lines(told(driver)))
    assert printed[0] == "SOL  PAUSED"
    assert any(line.startswith("gate") and "paused" in line for line in printed)
    assert printed[-1] == "quote     none"


def test_the_numbers_of_what_the_monitors_find_are_printed() -> None:
    driver = quoting(state=holding("49"))
    driver.pass_s(1.0)
    printed = list(lines(told(driver)))
    assert not any(line.startswith("gate") for line in printed)  # a warning bounds nothing
    found = next(line for line in printed if line.startswith("monitor"))
    assert "warn by position: position 9800 USD near 10000" in found
    assert "position_max_usd 10000" in found
