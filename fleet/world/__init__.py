"""The whole fleet in one thread: engines, gateway core, risk and exchange on one heap of events."""
