"""Options: defaults, then the file, then the command line; each mistake in one line."""

from decimal import Decimal
from pathlib import Path

import pytest

from agents.sim.latency import Latency
from agents.sim.rules import Rules
from fleet.venue.config import UNLIMITED, OptionError, Options, parse

ADDRESS = "0x" + "aB" * 20


def test_nothing_given_is_the_default() -> None:
    assert parse([]) == Options()
    assert Options().latency_ms == Latency(ack=250, feed=100, jitter=0.3)


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "venue.json"
    file.write_text(
        '{"seed": 3, "block_ms": 0, "latency_ms": {"ack": 10, "feed": 5, "jitter": 0},'
        ' "flow": "lively", "recording": null, "fund": {"' + ADDRESS + '": 5.5}, "end": "loop"}'
    )
    options = parse(["--config", str(file), "--seed", "9", "--fund", f"0x{'1' * 40}=100000"])
    assert options.seed == 9
    assert options.block_ms == 0
    assert options.latency_ms == Latency(ack=10, feed=5, jitter=0)
    assert options.flow == "lively"
    assert options.end == "loop"
    assert options.fund == {ADDRESS: Decimal("5.5"), "0x" + "1" * 40: Decimal(100000)}


def test_limits_off_lifts_the_allowance_too() -> None:
    assert parse([]).rules == Rules()
    assert parse(["--limits", "off"]).rules.requests_free == UNLIMITED
    assert not parse(["--limits", "off"]).limited
    account = parse(["--limits", "account"])
    assert (account.limited, account.rules) == (False, Rules())


def test_one_latency_sets_the_feeds_in_proportion() -> None:
    assert parse(["--latency-ms", "0"]).latency_ms == Latency(ack=0, feed=0)
    assert parse(["--latency-ms", "500"]).latency_ms == Latency(ack=500, feed=200)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--port", "70000"], "port: 70000"),
        (["--block-ms", "-1"], "block_ms: -1"),
        (["--latency-ms", "-5"], "latency_ms"),
        (["--fund", "0x12=5"], "fund: 0x12"),
        (["--fund", f"{ADDRESS}=many"], "expected 0xADDRESS=USD"),
        (["--fund", f"{ADDRESS}=-1"], "no amount"),
        (["--fund", f"{ADDRESS}=NaN"], "no amount"),
        (["--recording", "/no/such/file"], "/no/such/file"),
        (["--config", "/no/such/file"], "/no/such/file"),
        (["--flow", "wild"], "invalid choice"),
        (["--seed", "x"], "--seed"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_told_in_one_line(argv: list[str], told: str) -> None:
    with pytest.raises(OptionError, match=told) as failure:
        parse(argv)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("text", ["{", '{"sed": 1}', '{"seed": "x"}', "[]"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "venue.json"
    file.write_text(text)
    with pytest.raises(OptionError, match=r"venue\.json"):
        parse(["--config", str(file)])
