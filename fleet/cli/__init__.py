"""What the user types, one module a verb."""
