"""Desired and observed, and the steps between them."""
