"""A clearing claims what it can prove, and no more."""

from fleet.gateway.core.clearing import PROOF_INTERVAL_MS, RECANCEL_MS, REVOID_MS, Clearing, Target

DEXES = ("", "hyna")
ORDER = Target(market="BTC", cloid="0xa", oid=1)


def empty_round(clearing: Clearing, now_ms: int) -> None:
    for dex in clearing.step(now_ms, (), ()).snapshot:
        clearing.snapshot(dex, now_ms, now_ms, found=False)


def test_two_empty_snapshots_of_every_dex_a_second_apart_prove_it() -> None:
    clearing = Clearing(DEXES, snapshots=2, now_ms=0)
    empty_round(clearing, 0)
    assert clearing.cleared_ms == 0
    assert clearing.step(PROOF_INTERVAL_MS - 1, (), ()).snapshot == ()
    empty_round(clearing, PROOF_INTERVAL_MS)
    assert clearing.done
    assert clearing.clean == 2


def test_one_dex_that_does_not_answer_proves_nothing_and_is_asked_again() -> None:
    clearing = Clearing(DEXES, snapshots=1, now_ms=0)
    assert clearing.step(0, (), ()).snapshot == DEXES
    clearing.snapshot("", 0, 50, found=False)
    assert not clearing.done
    assert clearing.step(700, (), ()).snapshot == ("hyna",)
    clearing.snapshot("hyna", 700, 750, found=False)
    assert clearing.done


def test_an_order_found_starts_the_proof_anew() -> None:
    clearing = Clearing(DEXES, snapshots=2, now_ms=0)
    empty_round(clearing, 0)
    for dex in clearing.step(1_000, (), ()).snapshot:
        clearing.snapshot(dex, 1_000, 1_050, found=dex == "hyna")
    assert clearing.clean == 0
    assert clearing.step(1_100, (ORDER,), ()).cancel == (ORDER,)
    assert not clearing.done


def test_snapshots_asked_for_while_something_is_unresolved_do_not_count() -> None:
    clearing = Clearing(("",), snapshots=1, now_ms=0)
    assert clearing.step(0, (), (42,)).void == (42,)
    for at_ms in (2_000, 4_000):
        for dex in clearing.step(at_ms, (), (42,)).snapshot:
            clearing.snapshot(dex, at_ms, at_ms + 10, found=False)
    assert not clearing.done
    empty_round(clearing, 6_000)
    assert clearing.done


def test_what_turns_up_during_a_round_spoils_it() -> None:
    clearing = Clearing(("",), snapshots=1, now_ms=0)
    assert clearing.step(0, (), ()).snapshot == ("",)
    clearing.step(20, (ORDER,), ())
    clearing.snapshot("", 0, 30, found=False)
    assert not clearing.done


def test_cancels_and_voids_are_repeated_but_not_at_once() -> None:
    clearing = Clearing(("",), snapshots=1, now_ms=0)
    first = clearing.step(0, (ORDER,), (42,))
    assert (first.cancel, first.void) == ((ORDER,), (42,))
    soon = clearing.step(RECANCEL_MS - 1, (ORDER,), (42,))
    assert (soon.cancel, soon.void) == ((), ())
    assert clearing.step(RECANCEL_MS, (ORDER,), (42,)).cancel == (ORDER,)
    assert clearing.step(REVOID_MS, (ORDER,), (42,)).void == (42,)
    assert clearing.cancelled == {"BTC": {"0xa"}}


def test_an_answer_of_an_older_round_is_not_taken_for_this_one() -> None:
    clearing = Clearing(("",), snapshots=2, now_ms=0)
    empty_round(clearing, 0)
    assert clearing.step(1_000, (), ()).snapshot == ("",)
    clearing.snapshot("", 0, 1_010, found=False)
    assert not clearing.done


def test_while_something_rests_only_its_dex_is_looked_at_again() -> None:
    clearing = Clearing(DEXES, snapshots=2, now_ms=0)
    assert clearing.step(0, (), ()).snapshot == DEXES
    for dex in DEXES:
        clearing.snapshot(dex, 0, 50, found=not dex)
    assert clearing.step(2_000, (ORDER,), ()).snapshot == ("",)
    clearing.snapshot("", 2_000, 2_050, found=True)
    assert clearing.step(4_000, (), (42,)).snapshot == (), "no list tells what a void will"
    empty_round(clearing, 6_000)
    empty_round(clearing, 6_000 + PROOF_INTERVAL_MS)
    assert clearing.done


def test_nothing_is_asked_for_a_proof_while_another_may_still_place() -> None:
    clearing = Clearing(DEXES, snapshots=2, now_ms=0)
    clearing.held = True
    empty_round(clearing, 0)
    assert clearing.step(5_000, (), ()).snapshot == ()
    clearing.held = False
    clearing.again()
    empty_round(clearing, 5_000)
    empty_round(clearing, 5_000 + PROOF_INTERVAL_MS)
    assert clearing.done
