"""Hyperliquid's protocol: messages, numbers, signatures, connections."""
