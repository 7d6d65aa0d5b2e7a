"""A checkpoint: only of this coin, this version and lately; no flag and no drift in it."""

import msgspec
import pytest

from agents.estimators.checkpoint import (
    AGE_MAX_S,
    AHEAD_MAX_S,
    VERSION,
    Checkpoint,
    CheckpointRefused,
    decode,
    encode,
)
from agents.estimators.panel import Panel
from agents.market.types import Coin
from agents.settings import StrategySettings

COIN = Coin("hyna:BTC")
HELD = msgspec.structs.replace(
    Panel(StrategySettings(), 0).checkpoint(COIN),
    saved_ms=1_000_000,
    slow={"r2": 1.5, "dt": 2.0, "bv": 0.0, "dt_pairs": 0.0},
)


def test_it_comes_back_as_it_was() -> None:
    assert decode(encode(HELD), coin=COIN, now_ms=1_060_000) == (HELD, 60.0)


def test_another_versions_is_refused_by_name() -> None:
    other = msgspec.structs.replace(HELD, version=VERSION + 1)
    with pytest.raises(CheckpointRefused, match=f"version {VERSION + 1}"):
        decode(encode(other), coin=COIN, now_ms=1_000_000)


def test_another_coins_is_refused() -> None:
    with pytest.raises(CheckpointRefused, match="not of BTC"):
        decode(encode(HELD), coin=Coin("BTC"), now_ms=1_000_000)


@pytest.mark.parametrize("age_s", [-AHEAD_MAX_S - 1, AGE_MAX_S + 1])
def test_too_old_or_from_the_future_is_refused(age_s: float) -> None:
    with pytest.raises(CheckpointRefused, match="s old"):
        decode(encode(HELD), coin=COIN, now_ms=HELD.saved_ms + round(age_s * 1_000))


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"version": 1}', b"nonsense"])
def test_rubbish_is_refused(raw: bytes) -> None:
    with pytest.raises(CheckpointRefused, match="no checkpoint"):
        decode(raw, coin=COIN, now_ms=1_000_000)


def test_a_clock_a_little_ahead_of_ours_makes_it_new() -> None:
    assert decode(encode(HELD), coin=COIN, now_ms=HELD.saved_ms - 800)[1] == 0.0


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ('"r2":1.5', '"r2":-1.5'),
        ('"r2":1.5', '"r2":1e300'),
        ('"r2":1.5', '"r2":null'),
        (',"r2":1.5', ""),
        ('"watched_sq"', '"watched"'),
        ("[0.0,0.0,0.0],", ""),
        ("[0,0.0,0.0,0.0,0.0],", ""),
    ],
)
def test_what_no_estimator_wrote_is_refused_before_any_takes_a_part(whole: str, part: str) -> None:
    raw = encode(HELD).decode()
    assert whole in raw
    with pytest.raises(CheckpointRefused, match="no checkpoint"):
        decode(raw.replace(whole, part, 1).encode(), coin=COIN, now_ms=1_000_000)


def test_a_torn_one_is_refused() -> None:
    raw = encode(HELD)
    for end in range(0, len(raw), 97):
        with pytest.raises(CheckpointRefused, match="no checkpoint"):
            decode(raw[:end], coin=COIN, now_ms=1_000_000)


def test_incident_46_it_holds_no_flag() -> None:
    names = set(Checkpoint.__struct_fields__)
    assert not {name for name in names if "ready" in name or "warm" in name or "known" in name}


def test_incident_45_it_holds_no_drift() -> None:
    names = set(Checkpoint.__struct_fields__)
    assert not names & {"momentum", "fair", "flow", "funding", "basis"}
