"""How the venue fails a request beside its answers: turned away, or done and never answered."""

from http import HTTPStatus


class TurnedAway(Exception):
    """Nothing happened; HTTP shows ``code``, a WebSocket post its reason."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> str:
        return f"{self.code} {HTTPStatus(self.code).phrase}"


class AnswerLost(Exception):
    """The action happened; its answer must not leave."""
