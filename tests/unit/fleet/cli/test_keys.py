"""Whether an API wallet may sign, by what the network says of its address."""

from pathlib import Path

import pytest

from fleet.cli.failure import Failure
from fleet.cli.keys import DAY_MS, Agent, Role, Verdict, _apart, _RoleData, run, verdict_of

NOW = 1_800_000_000_000
MASTER, WALLET = "0x" + "aa" * 20, "0x" + "bb" * 20
AGENT = Role("agent", _RoleData(MASTER.upper()))


def named(days: float | None) -> tuple[Agent, ...]:
    until_ms = None if days is None else NOW + round(days * DAY_MS)
    return (Agent("other", "0x1", NOW), Agent("mm-01", WALLET.upper(), until_ms))


@pytest.mark.parametrize(
    ("role", "listed", "valid", "why"),
    [
        (AGENT, named(90), True, "agent mm-01 for 90 days more"),
        (AGENT, named(None), True, "agent mm-01, without an end"),
        (AGENT, (), True, "unnamed agent"),
        (AGENT, named(-3), False, "agent mm-01 ended 3 days ago"),
        (Role("missing"), named(90), False, "it is missing at the venue"),
        (Role("user"), named(90), False, "it is user at the venue"),
        (Role("agent", _RoleData("0xother")), named(90), False, "it is an agent of 0xother"),
    ],
)
def test_the_verdict(role: Role, listed: tuple[Agent, ...], valid: bool, why: str) -> None:
    verdict = verdict_of(WALLET, MASTER, role, listed, NOW)
    assert verdict.valid is valid
    assert why in verdict.why
    assert bool(verdict.mend) is not valid


def test_an_end_that_is_near_says_how_to_rotate() -> None:
    verdict = verdict_of(WALLET, MASTER, AGENT, named(13), NOW)
    assert verdict.valid
    assert "fleet keys MANIFEST --rotate" in verdict.why


def test_a_halt_wallet_is_another_signer_or_none() -> None:
    wallet = verdict_of(WALLET, MASTER, AGENT, named(90), NOW)
    other = Verdict("0xcc", valid=True, why="agent mm-02")
    assert _apart(other, wallet) is other
    same = _apart(wallet, wallet)
    assert not same.valid
    assert "share nonces" in same.why


def test_paper_signs_for_itself_and_has_nothing_to_rotate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))
    path = tmp_path / "m.yaml"
    path.write_text(
        "{fleet: test, network: paper, markets: [{asset: BTC, margin_usd: 1000}]}", "utf-8"
    )
    run(path, "table", rotate=False)
    assert "the paper account signs for itself" in capsys.readouterr().out
    with pytest.raises(Failure, match="a paper account has one key"):
        run(path, "table", rotate=True)
