"""What is wrong with a manifest: one line a problem, with file, line, key, and the mend."""

import msgspec

Path = tuple[str | int, ...]
"""Where a value stands in the document: keys and list indices from the root."""


def dotted(path: Path) -> str:
    """``("markets", 1, "margin_usd")`` as ``markets[1].margin_usd``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


class Problem(msgspec.Struct, frozen=True):
    """One thing to mend. ``line`` counts from 1; 0: the file as a whole."""

    file: str
    line: int
    key: str
    text: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.key}: {self.text}" if self.key else self.text
        return f"{where}: {what}; {self.mend}"


class ManifestError(Exception):
    """A manifest that is not applied. ``problems``: at least one, in the order of their lines."""

    def __init__(self, problems: list[Problem]) -> None:
        assert problems
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(map(str, self.problems)))
