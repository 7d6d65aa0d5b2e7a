"""What the gateway decides: pure state machines, the time always an argument."""
