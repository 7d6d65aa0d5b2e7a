"""A second fleet beside the first: its own account, its own end."""

from tests.e2e.under_test import Cli, Fleet, all_quoting, family, living, processes_of

SECOND = """
fleet: second
network: paper
paper: {seed: 3, flow: lively}
markets:
  - asset: SOL
    margin_usd: 2000
    strategy: {half_spread_floor_bps: 2.0}
"""


def test_two_fleets_side_by_side_and_down(paper: Fleet, cli: Cli) -> None:
    manifest = cli.home / "second.yaml"
    manifest.write_text(SECOND)
    done = cli.run("apply", str(manifest), "--yes", "--wait", "120")
    assert done.returncode == 0, done.stdout + done.stderr
    second = Fleet(cli, "second")
    assert {m["market"] for m in second.status()["markets"]} == {"SOL"}
    ours = family(set(processes_of(second)))
    down = cli.run("--fleet", "second", "down")
    assert down.returncode == 0, down.stderr
    assert not processes_of(second)
    assert not living(ours)
    assert all_quoting(paper), "the first fleet did not notice"
