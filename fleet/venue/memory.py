"""What the venue keeps over a restart, block by block; nothing without a folder for it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from agents.sim.outputs import (
    AccountChanged,
    Answered,
    FillRow,
    FundingRow,
    LedgerRow,
    NonUserCancel,
    OrderRow,
    Output,
)
from agents.sim.rows import history_row
from agents.sim.snapshot import LISTS
from fleet.venue.journal import Added, Journal
from fleet.venue.state import StateError
from fleet.venue.world import World

LINES_MAX: Final = 500


class Memory:
    """The world's state on disk: a line a block that changed accounts, now and then the whole."""

    def __init__(self, world: World, folder: str | None) -> None:
        """Raises StateError if the folder cannot be made."""
        self._world = world
        self._journal = None if folder is None else Journal(Path(folder))
        self._lines = 0
        self._saving: asyncio.Task[None] | None = None

    def recall(self) -> None:
        """Take over what is on disk; on a fresh world. Raises StateError."""
        state = None if self._journal is None else self._journal.read()
        if state is None:
            return
        try:
            self._world.restore(_part(state, "world"))
            self._world.exchange.restore(_part(state, "exchange"))
        except ValueError as error:
            raise StateError(f"the venue's state: {error}; move it away to start anew") from error

    def keep(self, outputs: Sequence[Output], actors: Iterable[str]) -> None:
        """Write what this block changed. ``actors``: whose actions ran in it. Raises StateError."""
        if self._journal is None:
            return
        users = set(actors)
        changed = bool(users)
        added: Added = {name: defaultdict(list) for name in LISTS}
        for output in outputs:
            match output:
                case FillRow(user=user, row=row):
                    added["fills"][user].append(row)
                    users.add(user)
                case OrderRow(user=user, event=event):
                    added["history"][user].append(history_row(event))
                    users.add(user)
                case FundingRow(user=user, kept=row):
                    added["fundings"][user].append(row)
                    users.add(user)
                case LedgerRow(user=user, row=row):
                    added["ledger"][user].append(row)
                    users.add(user)
                case AccountChanged(user=user) | NonUserCancel(user=user):
                    users.add(user)
                case Answered():
                    changed = True
                case _:
                    pass
        if users or changed:
            exchange = self._world.exchange.snapshot(users)
            self._journal.write(exchange, self._world.save(), added)
            self._lines += 1

    async def tidy(self) -> None:
        """Write the whole once the journal is long. Raises StateError of the write before."""
        if self._saving is not None and self._saving.done():
            done, self._saving = self._saving, None
            done.result()
        if self._saving is None and self._lines >= LINES_MAX:
            self._saving = asyncio.get_running_loop().create_task(self.save())

    async def save(self) -> None:
        """Write the whole. Raises StateError.

        It is of one moment; a thread writes it, so that no block waits for the disk.
        """
        if self._journal is None:
            return
        state = self._mark(self._journal)
        await asyncio.to_thread(self._journal.settle, state)

    def save_now(self) -> None:
        """Write the whole before anything else happens. Raises StateError."""
        if self._journal is not None:
            self._journal.settle(self._mark(self._journal))

    async def close(self) -> None:
        """Write what is not yet written; the blocks must have ended. Raises StateError."""
        if self._saving is not None:
            await self._saving
        if self._lines:
            await self.save()
        if self._journal is not None:
            self._journal.close()

    def _mark(self, journal: Journal) -> dict[str, object]:
        self._lines = 0
        return journal.mark(self._world.exchange.snapshot(), self._world.save())


def _part(state: dict[str, object], name: str) -> dict[str, object]:
    part = state.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{name} is missing")  # noqa: TRY004  it is the file's content
    return part
