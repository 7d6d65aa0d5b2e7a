"""Who listens to what; a frame is encoded once and goes to every subscriber of its key."""

from collections import defaultdict

from fleet.venue.connection import Connection
from fleet.venue.limits import SUBSCRIPTIONS_MAX, USERS_MAX
from fleet.venue.subscriptions import Key


class Hub:
    """Subscriptions by key. All calls come from one loop.

    A listener joins in two steps: ``add`` makes its frames, ``activate`` lets them through, once
    the ack and the snapshot are on their way.
    """

    def __init__(self) -> None:
        self._listeners: defaultdict[Key, dict[Connection, bool]] = defaultdict(dict)
        self._keys: dict[Connection, set[Key]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._listeners

    def add(self, key: Key, connection: Connection) -> bool:
        """False if this connection listens already."""
        keys = self._keys.setdefault(connection, set())
        if key in keys:
            return False
        keys.add(key)
        self._listeners[key][connection] = False
        return True

    def refusal(self, key: Key, connection: Connection, *, by_ip: bool) -> str | None:
        """Why this connection, or all of its address, may not add the key; None if it may."""
        held = [
            keys
            for other, keys in self._keys.items()
            if other is connection or (by_ip and other.ip == connection.ip)
        ]
        if sum(map(len, held)) >= SUBSCRIPTIONS_MAX:
            return f"Cannot track more than {SUBSCRIPTIONS_MAX} total subscriptions."
        if not key.user:
            return None
        users = {kept.user for keys in held for kept in keys if kept.user}
        if key.user not in users and len(users) >= USERS_MAX:
            return f"Cannot track more than {USERS_MAX} total users."
        return None

    def activate(self, key: Key, connection: Connection) -> None:
        """From now on the connection gets the key's frames, if it still listens."""
        listeners = self._listeners.get(key, {})
        if connection in listeners:
            listeners[connection] = True

    def remove(self, key: Key, connection: Connection) -> bool:
        """False if this connection did not listen."""
        keys = self._keys.get(connection, set())
        if key not in keys:
            return False
        keys.remove(key)
        self._forget(key, connection)
        return True

    def leave(self, connection: Connection) -> None:
        """The connection is gone, with all that it listened to."""
        for key in self._keys.pop(connection, ()):
            self._forget(key, connection)

    def keys(self) -> tuple[Key, ...]:
        """Every key that somebody listens to."""
        return tuple(self._listeners)

    @property
    def subscriptions(self) -> int:
        """Of all connections together."""
        return sum(map(len, self._keys.values()))

    def publish(self, key: Key, frame: bytes) -> None:
        """Send to all who listen to the key at this moment."""
        for connection, active in tuple(self._listeners.get(key, {}).items()):
            if active:
                connection.send(frame)

    def _forget(self, key: Key, connection: Connection) -> None:
        listeners = self._listeners[key]
        listeners.pop(connection, None)
        if not listeners:
            del self._listeners[key]
