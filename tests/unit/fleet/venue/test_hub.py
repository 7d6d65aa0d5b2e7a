"""Fan-out: a listener hears nothing before it is activated, nothing after it left."""

from fleet.venue.hub import Hub
from fleet.venue.subscriptions import Key
from tests.unit.fleet.venue.rig import Rig

KEY = Key("bbo", coin="BTC")


def test_frames_go_to_active_listeners_of_the_key() -> None:
    hub, rig = Hub(), Rig()
    early, late = rig.client(), rig.client()
    assert hub.add(KEY, early)
    assert not hub.add(KEY, early)
    assert hub.add(KEY, late)
    hub.activate(KEY, early)
    hub.publish(KEY, b'{"n":1}')
    hub.publish(Key("bbo", coin="ETH"), b'{"n":2}')
    hub.activate(KEY, late)
    hub.publish(KEY, b'{"n":3}')
    assert early.frames == [{"n": 1}, {"n": 3}]
    assert late.frames == [{"n": 3}]


def test_a_key_without_listeners_is_not_wanted() -> None:
    hub, client = Hub(), Rig().client()
    assert KEY not in hub
    hub.add(KEY, client)
    assert KEY in hub
    assert hub.remove(KEY, client)
    assert not hub.remove(KEY, client)
    assert KEY not in hub
    hub.add(KEY, client)
    hub.leave(client)
    hub.activate(KEY, client)
    assert KEY not in hub
    assert hub.keys() == ()
