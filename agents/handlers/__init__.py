"""The engine's answers, one module an event family."""
