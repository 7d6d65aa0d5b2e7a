"""Who types, for the history. A user without a name, as in a container, may halt all the same."""

import getpass
import os


def me() -> str:
    """The user's name, else the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
