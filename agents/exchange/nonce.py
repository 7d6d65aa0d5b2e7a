"""The sequence of nonces of one signer: strictly rising, near the venue's clock."""


class NonceSequence:
    """Nonces of one signer, in milliseconds; the caller makes the last one durable.

    ``last``: the highest nonce used before, so that a restart never repeats one.
    """

    __slots__ = ("_last",)

    def __init__(self, last: int = 0) -> None:
        self._last = last

    @property
    def last(self) -> int:
        """The highest nonce given out."""
        return self._last

    def next(self, now_ms: int) -> int:
        """``now_ms``, or one more than the last when the clock stands or has stepped back."""
        self._last = max(self._last + 1, now_ms)
        return self._last
