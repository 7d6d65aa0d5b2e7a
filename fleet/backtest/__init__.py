"""Quoting judged on recordings: a maker against a tape, its score, and makers to compare with."""
