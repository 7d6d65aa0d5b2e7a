"""What a market is made of: units, types, the price and size grid, the position."""
