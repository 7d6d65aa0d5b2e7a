"""The venue's refusals sorted by class, and every failure by whether it may have happened."""

import pytest

from agents.exchange import errors


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "Post only order would have immediately matched, bbo was 1@2. asset=0",
            errors.PostOnlyCrossed,
        ),
        ("Insufficient margin to place order. asset=4", errors.InsufficientMargin),
        (
            "Order was never placed, already canceled, or filled. asset=3",
            errors.UnknownOrder,
        ),
        ("Reduce only order would increase position. asset=3", errors.ReduceOnlyRefused),
        ("Invalid nonce: duplicate nonce 7", errors.DuplicateNonce),
        ("Invalid nonce: nonce too low 7 < 9", errors.NonceTooLow),
        ("Action already expired", errors.ActionExpired),
        ("Too many cumulative requests sent (3 > 2)", errors.AllowanceExhausted),
        ("User or API Wallet 0xab does not exist.", errors.SignerUnknown),
        ("Order must have minimum value of $10. asset=5", errors.InvalidOrder),
        ("a text nobody has seen", errors.Rejected),
        ("", errors.Rejected),
    ],
)
def test_a_refusal_is_known_by_its_prefix(text: str, kind: type[errors.Rejected]) -> None:
    error = errors.from_text(text)
    assert type(error) is kind
    assert str(error) == text
    assert not error.may_have_happened


@pytest.mark.parametrize(
    ("status", "kind", "perhaps"),
    [
        (429, errors.RateLimited, False),
        (422, errors.BadRequest, False),
        (400, errors.BadRequest, False),
        (500, errors.OutcomeUnknown, True),
        (502, errors.OutcomeUnknown, True),
    ],
)
def test_an_http_status_says_whether_it_may_have_happened(
    status: int, kind: type[errors.ExchangeError], perhaps: bool
) -> None:
    error = errors.from_status(status, "<html>")
    assert type(error) is kind
    assert error.may_have_happened is perhaps


def test_a_posts_error_is_read_like_the_http_status_it_mirrors() -> None:
    assert type(errors.from_post_error("429 Too Many Requests")) is errors.RateLimited
    assert type(errors.from_post_error("422 Unprocessable Entity")) is errors.BadRequest
    assert type(errors.from_post_error("503 Service Unavailable")) is errors.OutcomeUnknown
    assert type(errors.from_post_error("out of order")) is errors.OutcomeUnknown
    assert type(errors.from_post_error("")) is errors.OutcomeUnknown
