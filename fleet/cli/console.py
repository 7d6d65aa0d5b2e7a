"""Where words go: results to stdout, messages to stderr, JSON alone on stdout."""

import sys
from typing import Any, Literal

Output = Literal["table", "json"]


def say(text: str) -> None:
    """A message for whoever watches: progress, a warning, a hint."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """A line of the verb's result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def put_json(value: Any) -> None:  # noqa: ANN401  # any value that msgspec encodes
    """The verb's result as JSON, indented for eyes."""
    import msgspec

    put(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
