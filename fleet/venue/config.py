"""The venue's options: defaults, then the config file, then the command line."""

import argparse
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal

import msgspec

from agents.sim.flow_profile import Mode
from agents.sim.latency import ACK_MS, FEED_MS, Latency
from agents.sim.rules import Rules

UNLIMITED: Final = 10**12
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the venue is told. The config file has these keys; all but ``port`` and ``state``.

    seed        of all chance: flow and delays
    block_ms    0 = an action runs the moment it arrives
    latency_ms  of requests with their answers (``ack``), of feeds, and the jitter's share
    flow        ``real`` trades as markets do, ``lively`` several times more
    recording   file to replay as the market instead of synthetic flow
    fund        address -> units of each DEX's own collateral; at first start only
    end         what a tape does at its end
    flavour     which signing source is tried first
    clock       ``manual`` stands still until ``/admin/step``; then no request is delayed either,
                unless ``latency_ms`` is given
    limits      weights, connections and users an IP address; ``auto``: where there is a latency,
                as everything on loopback comes from one address, and a laboratory asks a lot;
                ``account``: only an account's allowance of requests; ``off`` lifts that too
    schedule_volume_usd   lifetime volume before ``scheduleCancel`` is allowed
    start_ms    where a manual clock begins; otherwise at the start of the day (UTC)
    """

    seed: int = 7
    block_ms: int = 70
    latency_ms: Latency = Latency()
    flow: Mode = "real"
    recording: str | None = None
    fund: dict[str, Decimal] = {}
    end: Literal["silent", "loop"] = "silent"
    flavour: Literal["mainnet", "testnet"] = "mainnet"
    clock: Literal["real", "manual"] = "real"
    limits: Literal["on", "account", "off", "auto"] = "auto"
    schedule_volume_usd: Decimal = Rules().schedule_volume_usd
    start_ms: int | None = None
    port: int = 0
    state: str | None = None

    @property
    def limited(self) -> bool:
        """Whether an IP address has limits."""
        return self.limits == "on" or (self.limits == "auto" and self.latency_ms.ack > 0.0)

    @property
    def rules(self) -> Rules:
        """The exchange's gates and limits."""
        free = UNLIMITED if self.limits == "off" else Rules().requests_free
        return Rules(requests_free=free, schedule_volume_usd=self.schedule_volume_usd)


class OptionError(Exception):
    """An option cannot be used; the text says which, and the mend."""


def parse(argv: Sequence[str]) -> Options:
    """Options from the command line. Raises OptionError; ``--help`` exits with 0."""
    given = _parser().parse_args(argv)
    options = _read(Path(given.config)) if given.config else Options()
    changes: dict[str, object] = {
        name: value
        for name in (
            "seed",
            "block_ms",
            "flow",
            "recording",
            "end",
            "flavour",
            "port",
            "state",
            "clock",
            "limits",
        )
        if (value := getattr(given, name)) is not None
    }
    ack = given.latency_ms
    if ack is None and given.clock == "manual" and not given.config:
        ack = 0.0
    if ack is not None:
        changes["latency_ms"] = msgspec.structs.replace(
            options.latency_ms, ack=ack, feed=ack * FEED_MS / ACK_MS
        )
    if given.fund:
        changes["fund"] = options.fund | dict(_funding(text) for text in given.fund)
    options = msgspec.structs.replace(options, **changes)
    _check(options)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fleet venue", description="Hyperliquid's protocol on loopback.")
    parser.add_argument("--port", type=int, help="0 = any that is free (default)")
    parser.add_argument("--seed", type=int, help="of flow and delays (default 7)")
    parser.add_argument("--config", metavar="FILE", help="JSON with the same names")
    parser.add_argument("--recording", metavar="FILE", help="replay it as the market")
    parser.add_argument("--fund", metavar="0xADDRESS=USD", action="append", help="may be repeated")
    parser.add_argument("--latency-ms", type=float, help="of an answer (default 250); 0 = none")
    parser.add_argument("--block-ms", type=int, help="default 70; 0 = at once")
    parser.add_argument("--flow", choices=("real", "lively"), help="default real")
    parser.add_argument("--state", metavar="DIR", help="keep accounts and orders there")
    parser.add_argument("--end", choices=("silent", "loop"), help="at the end of a recording")
    parser.add_argument("--clock", choices=("real", "manual"), help="manual: POST /admin/step")
    parser.add_argument("--limits", choices=("on", "account", "off", "auto"), help="on requests")
    parser.add_argument("--flavour", choices=("mainnet", "testnet"), help="default mainnet")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> "None":  # type: ignore[override]
        raise OptionError(f"{message}; see --help")


def _read(path: Path) -> Options:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Options)
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise OptionError(f"{path}: {error}") from error


def _funding(text: str) -> tuple[str, Decimal]:
    address, _, usd = text.partition("=")
    try:
        return address, Decimal(usd)
    except InvalidOperation as error:
        raise OptionError(f"--fund {text}: expected 0xADDRESS=USD, as 0xabc…=100000") from error


def _check(options: Options) -> None:
    for address, usd in options.fund.items():
        if not _ADDRESS.fullmatch(address):
            raise OptionError(f"fund: {address} is no address; expected 0x and 40 hex digits")
        if not usd.is_finite() or usd < 0:
            raise OptionError(f"fund: {address}: {usd} is no amount; expected 0 or more")
    if not 0 <= options.port <= 65_535:
        raise OptionError(f"port: {options.port} is out of range; expected 0 to 65535")
    if not 0 <= options.block_ms <= 60_000:
        raise OptionError(f"block_ms: {options.block_ms} is out of range; expected 0 to 60000")
    if min(options.latency_ms.ack, options.latency_ms.feed, options.latency_ms.jitter) < 0:
        raise OptionError("latency_ms: a delay below zero; expected 0 or more")
    if options.recording is not None and not Path(options.recording).is_file():
        raise OptionError(f"recording: {options.recording} is no file; name a .jsonl.zst recording")
