"""The manifest's schema: what a user may write, with units, ranges, and a word on each leaf.

Strict and closed: a key that is not here is an error. The leaves of ``strategy``, ``risk``,
``drain`` and ``on_orphan`` are those of ``agents.settings``, whose defaults they repeat.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fleet.manifests.schema_alerts import Alerts
from fleet.manifests.schema_metrics import Metrics
from fleet.manifests.schema_risk import RiskAdvanced
from fleet.manifests.schema_schedule import Schedule
from fleet.manifests.schema_strategy import Strategy
from fleet.manifests.section import Section


class MarketRisk(Section):
    """What one market may hold and lose."""

    position_max_usd: float | None = Field(
        default=None, ge=20, le=1e9, description="the largest position in USD", examples=[15000]
    )
    daily_loss_max_usd: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        description="the loss in USD that stops the market",
        examples=[250],
    )
    drawdown_max_share: float = Field(
        default=0.1, gt=0, le=1, description="the fall from the peak, of margin, that stops it"
    )
    order_value_max_usd: float | None = Field(
        default=None, ge=10, le=1e9, description="the largest order in USD", examples=[2000]
    )
    collar_bps: float = Field(
        default=1_000.0,
        gt=0,
        le=5_000,
        description="the furthest that an order may pay beyond mark or oracle, in bps",
    )
    data_age_max_s: float = Field(
        default=3.0, gt=0, le=60, description="the age of data at which no risk is added, in s"
    )
    data_age_halt_s: float = Field(
        default=30.0, gt=0, le=3_600, description="the age of data at which quoting ends, in s"
    )
    directive_age_max_s: float = Field(
        default=10.0, gt=0, le=10, description="the silence of risk at which no risk is added, in s"
    )
    directive_age_cancel_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="the silence of risk that cancels the adding side, in s",
    )
    directive_age_halt_s: float = Field(
        default=120.0, gt=0, le=3_600, description="the silence of risk that stops the market, in s"
    )
    advanced: RiskAdvanced = RiskAdvanced()


class Drain(Section):
    """How a market leaves."""

    passive_s: float = Field(
        default=900.0, ge=0, le=604_800, description="the time to get flat by quotes, in s"
    )
    then: Literal["hold", "flatten"] = Field(default="hold", description="what happens to the rest")


class OnOrphan(Section):
    """What the caretaker does with a position whose agent stays away."""

    after_s: float = Field(default=120.0, ge=0, le=86_400, description="the patience, in s")
    do: Literal["hold", "reduce", "flatten"] = Field(
        default="reduce", description="what it does then"
    )
    collar_bps: float = Field(
        default=50.0, gt=0, le=1000, description="the furthest from the mark that it trades, in bps"
    )


class Protect(Section):
    """What stands at the venue for a position, for when nobody here is left to act."""

    stop_bps: float | None = Field(
        default=None,
        ge=10,
        le=5_000,
        description="the distance of a venue-side stop from the position's entry, in bps",
        examples=[300],
    )


MARGIN = "the margin in USD; 1000 where isolated and omitted"


class Defaults(Section):
    """What holds for every market that doesn't say otherwise."""

    margin_usd: float | None = Field(
        default=None, gt=0, le=1e9, description=MARGIN, examples=[5000]
    )
    leverage: int = Field(default=1, ge=1, le=50, description="the leverage", examples=[3])
    isolated: bool = Field(default=False, description="isolated margin")
    nets: bool = Field(default=False, description="whether it nets against its underlying")
    risk: MarketRisk = MarketRisk()
    strategy: Strategy = Strategy()
    drain: Drain = Drain()
    on_orphan: OnOrphan = OnOrphan()
    protect: Protect = Protect()
    schedule: Schedule | None = Field(default=None, description="hours, for a market that has them")


class Market(Defaults):
    """One market of the fleet."""

    asset: str = Field(
        pattern=r"^[A-Za-z0-9]{1,16}(:[A-Za-z0-9]{1,32})?$",
        description="the venue's name of the asset",
        examples=["BTC"],
    )
    dex: str = Field(
        default="",
        pattern=r"^[a-z0-9]{0,16}$",
        description="the name of the DEX",
        examples=["hyna"],
    )
    underlying: str = Field(
        default="", max_length=32, description="the name that is counted together over DEXs"
    )


class ApiWallet(Section):
    """Where the signing key is found; exactly one of env, file, keystore."""

    env: str | None = Field(
        default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["FLEET_API_KEY"]
    )
    file: str | None = Field(default=None, min_length=1, examples=["/run/secrets/fleet-api-key"])
    keystore: str | None = Field(default=None, min_length=1, examples=["api-wallet.json"])
    passphrase_env: str | None = Field(
        default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["FLEET_PASSPHRASE"]
    )


class HaltWallet(ApiWallet):
    """Where the key of another API wallet is found, for ``fleet halt --direct`` alone."""


def _named_not_written(value: Any) -> Any:  # noqa: ANN401  # any YAML value may stand here
    """A source of the key, not the key: a plain text could be one, so it is never shown."""
    mend = "write {env: FLEET_API_KEY} or {file: PATH}"
    if not isinstance(value, dict):
        raise PydanticCustomError("fleet", "a key must not stand in a manifest", {"mend": mend})
    named = [key for key in ("env", "file", "keystore") if value.get(key) is not None]
    if len(named) != 1 and not value.keys() - ApiWallet.model_fields.keys():
        text = "names no source of the key" if not named else "names more than one source"
        raise PydanticCustomError("fleet", text, {"mend": mend})
    if ("keystore" in named) != (value.get("passphrase_env") is not None):
        mend = "write {keystore: PATH, passphrase_env: NAME}"
        text = "keystore and passphrase_env belong together"
        raise PydanticCustomError("fleet", text, {"mend": mend})
    return value


class AccountSection(Section):
    """Whose funds trade."""

    address: str | None = Field(
        default=None,
        pattern=r"^0x[0-9a-fA-F]{40}$",
        description="the account's address in quotes, 0x and 40 hex digits",
        examples=['"0x…"'],
    )
    api_wallet: Annotated[ApiWallet, BeforeValidator(_named_not_written)] | None = Field(
        default=None, description="the source of the signing key", examples=["{env: FLEET_API_KEY}"]
    )
    halt_wallet: Annotated[HaltWallet, BeforeValidator(_named_not_written)] | None = Field(
        default=None,
        description="the source of another API wallet's key, for fleet halt --direct alone",
        examples=["{env: FLEET_HALT_KEY}"],
    )


class Risk(Section):
    """The whole fleet's limits; what is omitted is the sum over the markets."""

    gross_notional_max_usd: float | None = Field(
        default=None,
        gt=0,
        le=1e10,
        description="the sum of all positions in USD",
        examples=[250000],
    )
    net_notional_max_usd: float | None = Field(
        default=None, gt=0, le=1e10, description="longs less shorts in USD", examples=[60000]
    )
    underlying_gross_max_usd: float | None = Field(
        default=None,
        gt=0,
        le=1e10,
        description="one underlying on every DEX, in USD",
        examples=[60000],
    )
    daily_loss_max_usd: float | None = Field(
        default=None,
        gt=0,
        le=1e10,
        description="the fleet's loss in USD a UTC day",
        examples=[2500],
    )
    drawdown_max_share: float = Field(
        default=0.05, gt=0, le=1, description="the loss from the peak as a share of equity"
    )
    correlated_risk_max_usd: float | None = Field(
        default=None, gt=0, le=1e10, description="sqrt(x'Σx) over an hour in USD", examples=[5000]
    )
    on_breach: Literal["cancel", "flatten"] = Field(
        default="cancel", description="what a breach does"
    )
    cross_market: Literal["on", "off", "shadow"] = Field(
        default="off", description="whether other markets' positions move a market's quotes"
    )
    on_losing: Literal["tell", "sleep"] = Field(
        default="tell",
        description="what becomes of a market whose fills lose after fees: an alert, or a pause",
    )


class Requests(Section):
    """What may be spent on request weight."""

    buy_max_usd_per_day: float = Field(
        default=0.0, ge=0, le=10_000, description="the USD a day for bought requests"
    )


class Dex(Section):
    """One DEX's caps."""

    margin_max_usd: float | None = Field(
        default=None, gt=0, le=1e10, description="all margin on this DEX in USD", examples=[20000]
    )
    collateral_depeg_max_bps: float = Field(
        default=100.0, gt=0, le=5_000, description="the collateral's distance from 1 USD, in bps"
    )
    on_remove: Literal["keep", "return"] = Field(
        default="keep", description="whether its collateral comes back once its markets left"
    )


class Gates(Section):
    """What a canary may not exceed."""

    rejects_max_share: float = Field(
        default=0.05, ge=0, le=1, description="its orders refused, but for crossing, as a share"
    )
    post_only_max_share: float = Field(
        default=0.5, ge=0, le=1, description="its orders refused as crossing, as a share"
    )
    taker_fills_max: int = Field(default=0, ge=0, le=1_000, description="its fills that took")
    loss_max_share: float = Field(
        default=0.02, gt=0, le=1, description="its loss as a share of its margin"
    )
    uptime_min_share: float = Field(
        default=0.8, ge=0, le=1, description="the least share of its time that it must quote"
    )


class Rollout(Section):
    """In which steps a change reaches the markets."""

    max_unavailable: int = Field(
        default=2, ge=1, le=1000, description="how many may not quote at once"
    )
    canary: list[str] = Field(
        default_factory=list, description="the markets that go first", examples=["[BTC]"]
    )
    bake_s: float = Field(
        default=600.0, ge=0, le=604_800, description="how long canaries are watched, s"
    )
    on_fail: Literal["rollback", "pause"] = Field(
        default="rollback", description="what a failure does"
    )
    start_parallel: int = Field(default=8, ge=1, le=100, description="how many start at once")
    on_inconclusive: Literal["promote", "rollback", "pause"] = Field(
        default="promote", description="what too few fills for the markout test do"
    )
    gates: Gates = Gates()


class Latency(Section):
    """The embedded exchange's delays."""

    ack: float = Field(default=250.0, ge=0, le=60_000, description="the delay of an answer, in ms")
    feed: float = Field(default=100.0, ge=0, le=60_000, description="the delay of the feed, in ms")
    jitter: float = Field(default=0.3, ge=0, le=1, description="the share by which delays vary")


class Paper(Section):
    """How the embedded exchange is set up."""

    seed: int = Field(default=7, ge=0, lt=2**63, description="the seed of the flow")
    block_ms: int = Field(default=70, ge=1, le=10_000, description="the time between blocks, in ms")
    latency_ms: Latency = Latency()
    flow: Literal["real", "lively"] = Field(default="real", description="how much is traded")
    limits: Literal["all", "account", "none"] = Field(
        default="account",
        description="which limits on requests hold: all, the account's allowance alone, or none;"
        " weights by IP address count whoever looks at the venue from this machine",
    )
    recording: str | None = Field(
        default=None,
        min_length=1,
        description="the recording to replay",
        examples=["FILE.jsonl.zst"],
    )


class Manifest(Section):
    """A whole manifest."""

    fleet: str = Field(
        pattern=r"^[a-z0-9-]{1,32}$",
        description="the fleet's name: at most 32 of a-z 0-9 -",
        examples=["paper"],
    )
    network: Literal["paper", "testnet", "mainnet"] = Field(
        description="where it trades", examples=["paper"]
    )
    account: AccountSection = AccountSection()
    paper: Paper | None = Field(
        default=None, description="the embedded exchange, where network is paper"
    )
    risk: Risk = Risk()
    requests: Requests = Requests()
    dexes: dict[str, Dex] = Field(default_factory=dict, description="the caps of each DEX")
    rollout: Rollout = Rollout()
    alerts: Alerts = Alerts()
    metrics: Metrics = Metrics()
    defaults: Defaults = Defaults()
    markets: list[Market] = Field(
        min_length=1, description="the markets to make", examples=["[{asset: BTC}]"]
    )
