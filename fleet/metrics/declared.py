"""What a metric is declared with: its name, kind, help, and where its value is read."""

from collections.abc import Callable, Iterable
from typing import Generic, Literal, NamedTuple, TypeVar

Kind = Literal["gauge", "counter"]
Value = float | int | None
Of = TypeVar("Of")


class Metric(NamedTuple, Generic[Of]):
    """One value of each ``Of``. ``read`` gives None where it is not known: then it is absent."""

    name: str
    kind: Kind
    help: str
    read: Callable[[Of], Value]


class Labelled(NamedTuple, Generic[Of]):
    """Several values of each ``Of``, told apart by ``labels``, which ``read`` gives in order."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    read: Callable[[Of], Iterable[tuple[tuple[str, ...], Value]]]


class Durations(NamedTuple):
    """A histogram of what each process measured under ``timing``, seconds."""

    name: str
    help: str
    timing: str
