"""How a verb ends badly: one line with the mend, and an exit code of the contract."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may branch on (contracts, section 2)."""

    DONE = 0
    UNEXPECTED = 1
    CHANGES = 2
    INVALID = 3
    NOT_CONVERGED = 4
    HALTED = 5
    LOCKED = 6
    OUT_OF_REACH = 7


class Failure(Exception):
    """Ends the verb with ``exit_code``; the text says what and where, the mend what to do."""

    def __init__(self, exit_code: ExitCode | int, text: str, mend: str = "") -> None:
        super().__init__(f"{text}; {mend}" if mend else text)
        self.exit_code = int(exit_code)
