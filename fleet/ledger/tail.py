"""Following the action log: its records in order, over segments, restarts and torn tails.

A segment is ``<first seq>.log``. A reader's place is the last record that it took, by sequence
number *and* time of writing: after a power loss the writer may give out a number again, and a
reader that went by the number alone would pass over what was written under it the second time.
"""

from pathlib import Path

import msgspec

from fleet.gateway.framing import Record, read_records


class Place(msgspec.Struct, frozen=True):
    """The last record taken; the default is before the first one."""

    seq: int = -1
    wall_ns: int = 0


def segments(actions: Path) -> list[tuple[int, Path]]:
    """(first seq, path) of each segment, oldest first; files with other names are left alone."""
    found = [(int(path.stem), path) for path in actions.glob("*.log") if path.stem.isdecimal()]
    return sorted(found)


class Tail:
    """Reads on from a place. Look into ``notes`` after each ``read``: what a log should tell."""

    def __init__(self, actions: Path, place: Place | None = None) -> None:
        self._actions = actions
        self.notes: list[str] = []
        self.undecodable = 0
        self.place = Place() if place is None else place
        self._path: Path | None = None
        self._offset = 0

    def read(self, limit: int = 2_000) -> list[Record]:
        """Up to ``limit`` records, in order; none when there are no more yet."""
        if self._path is None and not self._resume():
            return []
        records: list[Record] = []
        while len(records) < limit:
            before = len(records)
            following = self._following()
            self._read_segment(records, limit)
            if len(records) > before:
                continue
            if following is None or self._path is None:
                break
            self._leave(following)
        return records

    def unread_bytes(self) -> int:
        """Bytes of the segment behind the place; lasting ones are no record and hold it up."""
        try:
            return self._path.stat().st_size - self._offset if self._path else 0
        except FileNotFoundError:
            return 0

    def _read_segment(self, records: list[Record], limit: int) -> None:
        assert self._path is not None
        try:
            if self._path.stat().st_size < self._offset:
                self._again(f"{self._path.name} has become shorter")
                return
            found = read_records(
                self._path, self._offset, after_seq=self.place.seq, odd=self._pass_over
            )
            for offset, record in found:
                self._offset, self.place = offset, Place(record.seq, record.wall_ns)
                records.append(record)
                if len(records) >= limit:
                    return
        except FileNotFoundError:
            self._again(f"{self._path.name} is gone")

    def _pass_over(self, offset: int, why: str) -> None:
        """An intact record that this build can't read: told, counted, and left behind."""
        assert self._path is not None
        self.undecodable += 1
        self._offset = offset
        self.notes.append(f"{self._path.name}: the record before byte {offset} is none: {why}")

    def _following(self) -> tuple[int, Path] | None:
        """The next segment, looked up before the last read of this one: nothing falls between."""
        assert self._path is not None
        here = int(self._path.stem)
        return next((found for found in segments(self._actions) if found[0] > here), None)

    def _leave(self, following: tuple[int, Path]) -> None:
        assert self._path is not None
        left = self._path.stat().st_size - self._offset if self._path.exists() else 0
        if left:
            self.notes.append(
                f"{self._path.name}: the last {left} bytes are no record; passed over"
            )
        if self.place.seq >= 0 and following[0] > self.place.seq + 1:
            self.notes.append(f"records {self.place.seq + 1} to {following[0] - 1} are missing")
        self._path, self._offset = following[1], 0

    def _again(self, why: str) -> None:
        self.notes.append(f"{why}; finding the place again")
        self._path, self._offset = None, 0

    def _resume(self) -> bool:
        """Find the place; where the log does not know it, begin at its first record."""
        found = segments(self._actions)
        if not found:
            return False
        self._path, self._offset = found[0][1], 0
        if self.place.seq < 0:
            return True
        holding = [path for first, path in found if first <= self.place.seq]
        if not holding:
            if found[0][0] > self.place.seq + 1:
                self.notes.append(f"records {self.place.seq + 1} to {found[0][0] - 1} are missing")
            return True
        for offset, record in read_records(
            holding[-1], after_seq=self.place.seq - 1, odd=lambda _offset, _why: None
        ):
            if record.seq == self.place.seq and record.wall_ns == self.place.wall_ns:
                self._path, self._offset = holding[-1], offset
                return True
            break
        self.notes.append(
            f"the log does not hold record {self.place.seq} as read; reading all of it"
        )
        self.place = Place()
        return True
