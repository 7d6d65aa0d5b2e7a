"""What a process that holds the key does first: nobody reads its memory. Standard library only."""

import contextlib
import ctypes
import resource
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def harden() -> None:
    """No core dump, no ptrace by others, /proc/<pid> closed to the same user (I15)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_later(score: int, pid: int | str = "self") -> bool:
    """Set a process's place in the kernel's order when memory runs out, -1000 (last) to 1000.

    Going below what one has takes a privilege: False where that is refused, and nothing changes.
    """
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(score))
    except OSError:
        return False
    return True
