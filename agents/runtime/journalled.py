"""A conversation that writes down all it is told, and what it says to that."""

from agents.events import JournalLost
from agents.exchange.downstream import Acquire, Continue, LeaseFrame
from agents.runtime.conversation import Conversation, Observer, Say
from agents.runtime.journal import Journal


class Journalled(Conversation):
    """Each entry to the conversation is an entry of the journal, which begins with the lease."""

    def __init__(self, acquired: Acquire, observer: Observer, journal: Journal) -> None:
        super().__init__(acquired, observer)
        self._journal = journal
        self._mourned = False

    def take(self, raw: bytes, now_ns: int) -> list[Say]:
        held = self.lease
        says = super().take(raw, now_ns)
        if held is None and self.lease is not None:
            self._journal.begin(self.lease, now_ns)
        self._journal.took(raw, now_ns, says)
        return says

    def tick(self, now_ns: int) -> list[Say]:
        says = super().tick(now_ns)
        self._journal.ticked(now_ns, says)
        return says + self._mourn(now_ns)

    def remember(self, raw: bytes, now_ns: int) -> list[Say]:
        says = super().remember(raw, now_ns)
        self._journal.remembered(raw, now_ns, says)
        return says

    def _mourn(self, now_ns: int) -> list[Say]:
        """Once: the engine is told that nothing is written any more. No journal has this event."""
        if self._journal.trouble is None or self._mourned or self.engine is None:
            return []
        self._mourned = True
        return self._some(JournalLost(self._journal.trouble), now_ns)

    def said(self, say: Say, now_ns: int, *, sent: bool) -> None:
        super().said(say, now_ns, sent=sent)
        if say.command is not None:
            self._journal.said(now_ns, sent=sent)

    def lost(self, why: str, now_ns: int) -> Continue | None:
        ask = super().lost(why, now_ns)
        self._journal.lost(why, now_ns)
        return ask

    def continued(self, lease: LeaseFrame, now_ns: int) -> list[Say]:
        says = super().continued(lease, now_ns)
        self._journal.continued(lease, now_ns, says)
        return says
