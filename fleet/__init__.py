"""Many agents under one budget."""
