"""Beliefs about one market, learned from public data."""
