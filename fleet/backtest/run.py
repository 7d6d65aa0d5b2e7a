"""Every recording, every market in it, every maker: one table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from agents.engine import Engine
from agents.exchange.downstream import DirectiveFrame, LeaseFrame, LimitsFrame, OpenState
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.settings import MarketSettings, RiskSettings, StrategySettings
from agents.sim.tape import BookRow, Outage, Tape, TapeFrame
from agents.sim.universe import default_universe
from fleet.backtest.desk import Desk, Maker, Terms
from fleet.backtest.makers import AncestorRule, FixedRule, SimpleMaker
from fleet.backtest.score import Row, pooled, score

START_NS: Final = 1_750_000_000 * NS_PER_S
FOREVER_NS: Final = 1 << 62
FIXED_BPS: Final = 2.0


class Bout(msgspec.Struct, frozen=True):
    """The sizes all makers share."""

    clip_usd: float = 500.0
    limit_usd: float = 5_000.0
    floor_bps: float = 2.0
    terms: Terms = Terms()


Make = Callable[[Instrument, Bout], Maker]


def engine(strategy: StrategySettings | None = None) -> Make:
    """A whole engine under these settings, but for the bout's clip and floor."""

    def make(instrument: Instrument, bout: Bout) -> Maker:
        told = msgspec.structs.replace(
            strategy or StrategySettings(),
            clip_usd=bout.clip_usd,
            half_spread_floor_bps=bout.floor_bps,
        )
        return Engine(_lease(instrument, bout, told), START_NS)

    return make


def fixed(instrument: Instrument, bout: Bout) -> Maker:
    """The fixed distance, without skew."""
    return _simple(FixedRule(FIXED_BPS), instrument, bout)


def ancestor(instrument: Instrument, bout: Bout) -> Maker:
    """The ancestor's formula as written."""
    rule = AncestorRule(floor_bps=bout.floor_bps, maker_fee_bps=bout.terms.maker_fee_bps)
    return _simple(rule, instrument, bout)


ABLATIONS: Final[Mapping[str, StrategySettings]] = {
    "no adverse selection": StrategySettings(adverse_weight=0.0),
    "expected move": StrategySettings(drift_weight=1.0),
    "no retreat": StrategySettings(retreat_weight=0.0),
    "no retreat, reducing at cost": StrategySettings(
        retreat_weight=0.0, reducing_edge_min_bps=0.0
    ),
    "no draw to the band": StrategySettings(quoted_max_bps=0.0),
    "reducing at any price": StrategySettings(reducing_edge_min_bps=-100.0),
    "closed form alone": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, exact_skew=False)),
    "momentum 5 bps": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, momentum_max_bps=5.0)),
    "regime 1 and 3 bps": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, regime_high_bps=1.0, regime_extreme_bps=3.0)),
    "aversion by volatility": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, aversion_volatility=1.0)),
    "aversion by toxicity": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, aversion_toxicity=2.0)),
    "aversion by inventory": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, aversion_inventory=2.0)),
    "aversion by bursts": StrategySettings(advanced=msgspec.structs.replace(
        StrategySettings().advanced, aversion_hawkes=0.5)),
}  # fmt: skip


def makers(*, ablate: bool) -> dict[str, Make]:
    """Ours, the two to beat, and, if asked for, ours with one part changed at a time."""
    found: dict[str, Make] = {"fleet": engine(), "fixed": fixed, "ancestor": ancestor}
    if ablate:
        found |= {name: engine(strategy) for name, strategy in ABLATIONS.items()}
    return found


def run(recordings: Iterable[Path], bout: Bout, contenders: Mapping[str, Make]) -> Iterator[Row]:
    """A row for each market with a book and each maker, then a pooled one. Raises TapeError."""
    rows: dict[str, list[Row]] = {name: [] for name in contenders}
    for recording in recordings:
        frames, coins = read(recording)
        for coin in coins:
            for name, make in contenders.items():
                row = fight(recording.name, frames, coin, name, make, bout)
                rows[name].append(row)
                yield row
    for found in rows.values():
        if found:
            yield pooled(found)


def read(recording: Path) -> tuple[Sequence[TapeFrame | Outage], list[Coin]]:
    """A recording's frames, and its coins that have a book. Raises TapeError."""
    tape = Tape(recording)
    frames = [*tape.due(START_NS), *tape.due(FOREVER_NS)]
    booked = {
        frame.coin
        for frame in frames
        if isinstance(frame, TapeFrame) and isinstance(frame.data, BookRow)
    }
    return frames, [coin for coin in tape.header.coins if coin in booked]


def fight(
    recording: str,
    frames: Iterable[TapeFrame | Outage],
    coin: Coin,
    name: str,
    make: Make,
    bout: Bout,
) -> Row:
    """One maker at one market, to the end of the recording."""
    instrument = msgspec.structs.replace(
        default_universe().instrument(coin), maker_fee_bps=bout.terms.maker_fee_bps
    )
    maker = make(instrument, bout)
    desk = Desk(coin, maker, bout.terms, frames)
    desk.run()
    uptime_share = None
    if isinstance(maker, Engine):
        report = maker.report(desk.now_ns)
        if report.quoting_due_s:
            uptime_share = report.quoting_up_s / report.quoting_due_s
    return score(
        desk,
        recording=recording,
        maker=name,
        maker_fee_bps=bout.terms.maker_fee_bps,
        uptime_share=uptime_share,
    )


def _simple(rule: FixedRule | AncestorRule, instrument: Instrument, bout: Bout) -> Maker:
    return SimpleMaker(
        rule, instrument=instrument, clip_usd=bout.clip_usd, limit_usd=bout.limit_usd
    )


def _lease(instrument: Instrument, bout: Bout, strategy: StrategySettings) -> LeaseFrame:
    start_ms = START_NS // NS_PER_MS
    return LeaseFrame(
        generation=1,
        deadline_ms=start_ms + 5_000,
        lease_ms=5_000,
        renew_ms=500,
        revision=1,
        settings=MarketSettings(
            market=instrument.coin,
            margin_usd=bout.limit_usd,
            leverage=1,
            risk=RiskSettings(
                position_max_usd=bout.limit_usd, daily_loss_max_usd=0.2 * bout.limit_usd
            ),
            strategy=strategy,
        ),
        limits=LimitsFrame(position_max_usd=bout.limit_usd),
        instrument=instrument,
        cloid_prefix="f1ee7000000000010001",
        state=OpenState(as_of_ms=start_ms, position_sz=Decimal(0), entry_px=None),
        pnl_day_usd=0.0,
        directive=DirectiveFrame(seq=1, as_of_ms=start_ms, mode="normal"),
        replaces=True,
    )
