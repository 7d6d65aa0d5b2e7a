"""Limits of one market, and what each verdict leaves allowed."""
