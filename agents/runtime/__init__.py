"""The asyncio shell round one engine."""
