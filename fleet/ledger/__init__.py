"""From the action log to SQLite: fills, fees, funding, P&L."""
