"""Agents without Ray: ``python -m tests.soak.crew --sock S --token T --folder F MARKET…``.

Each market's agent is the real one; whoever ends is begun anew after a second, as by a supervisor.
"""

import argparse
import asyncio
from pathlib import Path
from urllib.parse import quote

from agents.runtime.agent import run_agent


async def always(market: str, sock: Path, token: str, folder: Path) -> None:
    own = folder / quote(market, safe="")
    own.mkdir(parents=True, exist_ok=True)
    while True:
        await run_agent(market, sock, token, own / "log.jsonl", "crew", own / "journal")
        await asyncio.sleep(1.0)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sock", type=Path, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("markets", nargs="+")
    told = parser.parse_args()
    await asyncio.gather(*(always(m, told.sock, told.token, told.folder) for m in told.markets))


if __name__ == "__main__":
    asyncio.run(main())
