"""Logs: structured lines, secrets left out."""
