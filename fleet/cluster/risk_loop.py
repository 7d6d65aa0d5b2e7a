"""The risk actor's loop: each second read all, judge, publish; on a breach the fence first."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from agents.telemetry.logs import Log, open_log
from fleet.cluster.moves import Moves
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus, HaltRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.manifests.spec import FleetSpec
from fleet.risk.baseline import Baseline, resumed
from fleet.risk.covariance import Kept
from fleet.risk.directives import Round
from fleet.risk.exposure import equity_usd
from fleet.risk.rounds import Rounds
from fleet.supervisor.store import read_spec

ROUND_S: Final = 1.0
GATEWAY_S: Final = 3.0
BLIND_MS: Final = 5_000
"""So long a restarted gateway may take to know the account: the last word stands, and ages."""


class Gateway(Protocol):
    """The part of ``GatewayClient`` that is used here."""

    def status(self) -> GatewayStatus: ...

    def put(self, path: str, body: object) -> object: ...

    def halt(self, request: HaltRequest) -> Iterator[dict[str, Any]]: ...


class RiskRounds:
    """What lasts from round to round; baseline and covariance last longer, on disk."""

    def __init__(self, folder: Folder, gateway: Gateway, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._gateway = gateway
        self._kept_path = folder.root / "risk.json"
        self._covariance_path = folder.root / "covariance.msgpack"
        self._rounds = Rounds()
        self._moves = Moves(folder)
        self._rounds.baseline = self._read_kept()
        self._read_covariance()
        self._caps: dict[str, int] = {}
        self._seq = 0
        self._told: tuple[str, ...] | None = None
        self._was_halted = False
        self._sighted_ms = 0
        self._unkept = False

    def turn(self) -> None:
        """One round; blocks for as long as the gateway takes."""
        held = read_spec(self._folder.store_db)
        if held is None:
            return  # nothing is desired yet
        _, spec = held
        status = self._gateway.status()
        self._resume(status)
        now_ms = time.time_ns() // 1_000_000
        self._seq = max(self._seq + 1, now_ms)  # rises over restarts of this process too
        before = self._rounds.baseline
        seen, self._rounds.baseline = self._moves.settle(status, before)
        if seen is None:
            return  # a transfer is under way, and what was there before it is not known
        done = self._rounds.turn(seen, spec.risk, self._seq, now_ms, spec.dexes)
        self._rounds.baseline = self._moves.noted(done.baseline)
        if not done.blind:
            self._sighted_ms = now_ms
        elif now_ms - self._sighted_ms < BLIND_MS:
            return
        if done.verdict.mode == "halt" and status.halt is None:
            self._halt(spec, done)
        else:
            self._gateway.put("/v1/directives", done.put)
        self._keep(before, self._rounds.baseline)
        if self._rounds.sampled:
            kept = msgspec.msgpack.encode(self._rounds.covariance.kept())
            self._write(self._covariance_path, kept)
        self._tell(done)
        self._tell_caps(status)

    def _halt(self, spec: FleetSpec, done: Round) -> None:
        """The gateway's fence first; once it is shut the agents hear of it; then the proof."""
        reason = "; ".join(done.verdict.reasons)
        flatten = spec.risk.on_breach == "flatten"
        self._log.error("risk.halt", reason=reason, flatten=flatten)
        told = False
        for stage in self._gateway.halt(HaltRequest(reason=reason, by="risk", flatten=flatten)):
            self._was_halted = True
            if not told:
                self._gateway.put("/v1/directives", done.put)
                told = True
            self._log.info("risk.halting", **{str(key): value for key, value in stage.items()})

    def _resume(self, status: GatewayStatus) -> None:
        halted = status.halt is not None
        equity = equity_usd(status)
        kept = self._rounds.baseline
        if self._was_halted and not halted and kept is not None and equity is not None:
            self._rounds.baseline = resumed(kept, equity)
            self._keep(kept, self._rounds.baseline)
        self._was_halted = halted

    def _tell(self, done: Round) -> None:
        """A line when the verdict's reasons change, not each second."""
        if done.verdict.reasons != self._told:
            self._told = done.verdict.reasons
            risk_usd = None if done.portfolio is None else round(done.portfolio.risk_usd, 2)
            self._log.info(
                "risk.verdict",
                mode=done.verdict.mode,
                reasons=list(self._told),
                risk_hour_usd=risk_usd,
            )

    def _tell_caps(self, status: GatewayStatus) -> None:
        """A line where an agent wanted more cross skew than may be, once it happened again."""
        for view in status.markets:
            count = 0 if view.report is None else view.report.cross_caps
            if count > self._caps.get(view.market, 0):
                self._log.info("cross.capped", market=view.market, times=count)
            self._caps[view.market] = count

    def _read_kept(self) -> Baseline | None:
        try:
            return msgspec.json.decode(self._kept_path.read_bytes(), type=Baseline)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            self._log.error("baseline.unreadable", error=str(error))
            return None

    def _read_covariance(self) -> None:
        """What cannot be read is found anew: until then nobody gets a row, and doubt counts."""
        try:
            raw = self._covariance_path.read_bytes()
            self._rounds.covariance.restore(msgspec.msgpack.decode(raw, type=Kept))
        except FileNotFoundError:
            return
        except (msgspec.MsgspecError, ValueError) as error:
            self._log.error("covariance.unreadable", error=str(error))

    def _keep(self, before: Baseline | None, baseline: Baseline | None) -> None:
        if baseline is not None and baseline != before:
            self._write(self._kept_path, msgspec.json.encode(baseline))

    def _write(self, path: Path, raw: bytes) -> None:
        """A full disk must not keep us from judging, and halting."""
        draft = path.with_suffix(".new")
        try:
            draft.write_bytes(raw)
            draft.chmod(0o600)
            draft.replace(path)
        except OSError as error:
            if not self._unkept:
                self._log.error("baseline.unwritable", error=str(error))
            self._unkept = True
        else:
            self._unkept = False


async def run_risk(folder: Folder) -> None:
    """Turn for ever. A round that fails is told once; agents notice by the directives' age."""
    log = open_log(folder.log("risk"))
    risk = RiskRounds(folder, GatewayClient(folder, GATEWAY_S), log)
    log.info("risk.start")
    failing: str | None = None
    while True:
        began_s = time.monotonic()
        cause: str | None = None
        try:
            await asyncio.to_thread(risk.turn)
        except (Unreachable, ApiFailure) as error:
            cause = f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 - the next round may do better
            cause = repr(error)
        if cause != failing:
            failing = cause
            log.warning("round.failed", cause=cause) if cause else log.info("round.works")
        await asyncio.sleep(max(0.0, ROUND_S - (time.monotonic() - began_s)))
