"""An exchange in memory that speaks Hyperliquid's protocol; pure and seeded."""
