"""The embedded exchange: agents.sim behind HTTP and WebSocket."""
