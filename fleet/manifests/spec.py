"""A fleet as desired: the frozen values that a manifest compiles to, and their canonical JSON.

The CLI makes a ``FleetSpec``; supervisor and risk read it. Equal specs have equal bytes, so a
revision is compared, stored and named by ``encode``. Import weight: msgspec and nothing else.
"""

import hashlib
from typing import Literal

import msgspec

from agents.settings import MarketSettings

Network = Literal["paper", "testnet", "mainnet"]


class FleetRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole fleet may hold and lose, in USD at each token's mark.

    ``underlying_gross_max_usd`` counts one underlying over every DEX; ``correlated_risk_max_usd``
    bounds sqrt(x'Σx) over an hour (None: not bounded). ``cross_market``: whether other markets'
    positions move a market's quotes (shadow: they are looked at only). ``on_losing``: what becomes
    of a market that loses by its fills beyond doubt.
    """

    gross_notional_max_usd: float
    net_notional_max_usd: float
    underlying_gross_max_usd: float
    daily_loss_max_usd: float
    drawdown_max_share: float = 0.05
    correlated_risk_max_usd: float | None = None
    on_breach: Literal["cancel", "flatten"] = "cancel"
    cross_market: Literal["on", "off", "shadow"] = "off"
    on_losing: Literal["tell", "sleep"] = "tell"


class KeySource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the API wallet's key is found when the fleet starts; never the key itself."""

    env: str | None = None
    file: str | None = None
    keystore: str | None = None
    passphrase_env: str | None = None


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose funds trade (lowercase address), who signs, and who for ``halt --direct``; None: the
    same.
    """

    address: str
    api_wallet: KeySource
    halt_wallet: KeySource | None = None


class PaperLatency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Delays of the embedded exchange, ms; ``jitter`` is a share of each."""

    ack: float = 250.0
    feed: float = 100.0
    jitter: float = 0.3


class PaperSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the embedded exchange is set up. ``recording``: absolute path, or None for made flow.

    ``limits``: which of the venue's limits on requests hold: all, the account's allowance, none.
    """

    seed: int = 7
    block_ms: int = 70
    latency_ms: PaperLatency = PaperLatency()
    flow: Literal["real", "lively"] = "real"
    limits: Literal["all", "account", "none"] = "account"
    recording: str | None = None


class RequestsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be spent on request weight."""

    buy_max_usd_per_day: float = 0.0


class DexSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One DEX's caps. ``margin_max_usd`` None: not bounded beyond the markets' own margins."""

    margin_max_usd: float | None = None
    collateral_depeg_max_bps: float = 100.0
    on_remove: Literal["keep", "return"] = "keep"


class ScheduleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A market's hours: ``HH:MM-HH:MM`` by ``timezone``, dates as ``YYYY-MM-DD``."""

    hours: str
    timezone: str = "America/New_York"
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays: tuple[str, ...] = ()
    reduce_before_s: float = 900.0


class RolloutGates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a canary may not exceed. Shares: of orders sent, of its margin, of its time."""

    rejects_max_share: float = 0.05
    post_only_max_share: float = 0.5
    taker_fills_max: int = 0
    loss_max_share: float = 0.02
    uptime_min_share: float = 0.8


class RolloutSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which steps a change reaches the markets."""

    max_unavailable: int = 2
    canary: tuple[str, ...] = ()
    bake_s: float = 600.0
    on_fail: Literal["rollback", "pause"] = "rollback"
    start_parallel: int = 8
    on_inconclusive: Literal["promote", "rollback", "pause"] = "promote"
    gates: RolloutGates = RolloutGates()


class UrlSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where an address is found when the manifest is applied; it may be a secret."""

    url: str | None = None
    env: str | None = None
    file: str | None = None


class AlertsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told what happens, outside the machine."""

    webhook: UrlSource | None = None
    command: tuple[str, ...] = ()
    severity_min: Literal["info", "warning", "critical"] = "warning"
    repeat_s: float = 900.0
    heartbeat: UrlSource | None = None
    heartbeat_every_s: float = 60.0


class MetricsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Prometheus reads the fleet's metrics; port 0: nowhere over TCP."""

    host: str = "127.0.0.1"
    port: int = 9090


class FleetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole manifest, defaults filled in. ``markets`` and ``schedules`` are keyed by the
    market's id; one without a schedule is always open.
    """

    fleet: str
    network: Network
    risk: FleetRisk
    markets: dict[str, MarketSettings]
    account: Account | None = None
    paper: PaperSpec | None = None
    requests: RequestsSpec = RequestsSpec()
    dexes: dict[str, DexSpec] = {}
    rollout: RolloutSpec = RolloutSpec()
    schedules: dict[str, ScheduleSpec] = {}
    alerts: AlertsSpec = AlertsSpec()
    metrics: MetricsSpec = MetricsSpec()


def encode(spec: FleetSpec) -> bytes:
    """The canonical JSON: equal specs, equal bytes."""
    return msgspec.json.encode(spec, order="deterministic")


def decode(raw: bytes | str) -> FleetSpec:
    """Read ``encode``'s bytes back; raises ``msgspec.ValidationError`` on anything else."""
    return msgspec.json.decode(raw, type=FleetSpec)


def digest(spec: FleetSpec) -> str:
    """Names this very spec: 12 hex digits."""
    return hashlib.sha256(encode(spec)).hexdigest()[:12]
