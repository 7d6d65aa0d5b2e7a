"""The risk actor's loop: each second read all, judge, publish; halt on a breach of loss."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from agents.telemetry.logs import Log, open_log
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus, HaltRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.manifests.spec import FleetSpec
from fleet.risk.baseline import Baseline, resumed
from fleet.risk.directives import Round, one_round
from fleet.risk.exposure import equity_usd
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
    """What lasts from round to round; the baseline lasts longer, on disk."""

    def __init__(self, folder: Folder, gateway: Gateway, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._gateway = gateway
        self._kept_path = folder.root / "risk.json"
        self._kept = self._read_kept()
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
        done = one_round(status, spec.risk, self._kept, self._seq, now_ms)
        if not done.blind:
            self._sighted_ms = now_ms
        elif now_ms - self._sighted_ms < BLIND_MS:
            return
        self._gateway.put("/v1/directives", done.put)
        self._keep(done.baseline)
        self._tell(done)
        if done.verdict.mode == "halt" and status.halt is None:
            self._halt(spec, done)

    def _halt(self, spec: FleetSpec, done: Round) -> None:
        reason = "; ".join(done.verdict.reasons)
        flatten = spec.risk.on_breach == "flatten"
        self._log.error("risk.halt", reason=reason, flatten=flatten)
        for stage in self._gateway.halt(HaltRequest(reason=reason, by="risk", flatten=flatten)):
            self._was_halted = True
            self._log.info("risk.halting", **{str(key): value for key, value in stage.items()})

    def _resume(self, status: GatewayStatus) -> None:
        halted = status.halt is not None
        equity = equity_usd(status)
        if self._was_halted and not halted and self._kept is not None and equity is not None:
            self._keep(resumed(self._kept, equity))
        self._was_halted = halted

    def _tell(self, done: Round) -> None:
        """A line when the verdict's reasons change, not each second."""
        if done.verdict.reasons != self._told:
            self._told = done.verdict.reasons
            self._log.info("risk.verdict", mode=done.verdict.mode, reasons=list(self._told))

    def _read_kept(self) -> Baseline | None:
        try:
            return msgspec.json.decode(self._kept_path.read_bytes(), type=Baseline)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            self._log.error("baseline.unreadable", error=str(error))
            return None

    def _keep(self, baseline: Baseline | None) -> None:
        if baseline is None or baseline == self._kept:
            return
        self._kept = baseline  # a full disk must not keep us from judging, and halting
        draft = self._kept_path.with_suffix(".new")
        try:
            draft.write_bytes(msgspec.json.encode(baseline))
            draft.chmod(0o600)
            draft.replace(self._kept_path)
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
