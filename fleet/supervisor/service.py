"""One fleet's supervisor as a program: store, loop and control API, until it is killed."""

from functools import partial

import msgspec

from agents.telemetry.logs import open_log
from fleet.folder import Folder
from fleet.gateway.client import GatewayClient
from fleet.ledger.keep import edges
from fleet.metrics.exporter import Exporter
from fleet.supervisor.actions import Actions
from fleet.supervisor.control import ControlApi, serve
from fleet.supervisor.evidence import evidence
from fleet.supervisor.loop import Loop
from fleet.supervisor.ports import Cluster
from fleet.supervisor.store import Store


class _FleetJson(msgspec.Struct, frozen=True):
    fleet: str


async def supervise(folder: Folder, cluster: Cluster) -> None:
    """Serve ``control.sock`` and turn the loop for ever."""
    log = open_log(folder.log("supervisor"))
    log.info("supervisor.start")
    fleet = msgspec.json.decode(folder.fleet_json.read_bytes(), type=_FleetJson).fleet
    store = Store(folder.store_db)
    look = partial(evidence, folder.ledger_db)
    found = partial(edges, folder.ledger_db)
    loop = Loop(store, Actions(GatewayClient(folder)), cluster, log, look, found)
    token = folder.token.read_text(encoding="ascii").strip()
    exporter = Exporter(folder, log.info)
    exporter.start()
    api = ControlApi(fleet, store, loop, token, log, exporter.scrape)
    runner = await serve(api, folder.control_sock)
    try:
        await loop.run()
    finally:
        exporter.stop()
        await runner.cleanup()
        store.close()
