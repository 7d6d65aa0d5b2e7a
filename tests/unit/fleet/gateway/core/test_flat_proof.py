"""The proof that nothing is held: asked for twice, and only of quiet times."""

from fleet.gateway.core.flat_proof import INTERVAL_MS, REASK_MS, FlatProof

DEXES = ("", "hyna")


def answered(proof: FlatProof, at_ms: int) -> None:
    for dex in DEXES:
        proof.answered(dex, at_ms, at_ms + 50, held=False)


def test_two_rounds_of_every_dex_some_time_apart() -> None:
    proof = FlatProof(DEXES)
    assert proof.step(0, quiet=True) == DEXES
    proof.answered("", 0, 50, held=False)
    assert not proof.proven
    proof.answered("hyna", 0, 50, held=False)
    assert not proof.proven
    assert proof.step(60, quiet=True) == ()
    assert proof.step(50 + INTERVAL_MS, quiet=True) == DEXES
    answered(proof, 50 + INTERVAL_MS)
    assert proof.proven
    assert proof.step(10_000, quiet=True) == ()


def test_what_was_asked_before_counts_for_nothing() -> None:
    proof = FlatProof(DEXES)
    proof.step(100, quiet=True)
    answered(proof, 99)
    proof.step(100 + INTERVAL_MS, quiet=True)
    answered(proof, 100 + INTERVAL_MS)
    assert not proof.proven


def test_whatever_starts_in_between_begins_it_again() -> None:
    proof = FlatProof(DEXES)
    proof.step(0, quiet=True)
    answered(proof, 0)
    proof.step(300, quiet=False)
    proof.step(1_000, quiet=True)
    answered(proof, 1_000)
    assert not proof.proven


def test_a_position_anywhere_begins_it_again() -> None:
    proof = FlatProof(DEXES)
    proof.step(0, quiet=True)
    answered(proof, 0)
    proof.step(1_000, quiet=True)
    proof.answered("", 1_000, 1_050, held=False)
    proof.answered("hyna", 1_000, 1_050, held=True)
    assert not proof.proven
    assert proof.step(1_100, quiet=True) == DEXES


def test_who_does_not_answer_is_asked_again() -> None:
    proof = FlatProof(DEXES)
    proof.step(0, quiet=True)
    proof.answered("", 0, 50, held=False)
    assert proof.step(REASK_MS, quiet=True) == ("hyna",)
