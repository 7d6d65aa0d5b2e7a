"""The end of the session's fleet: what ``down`` leaves of it."""

from tests.e2e.under_test import Fleet, family, living, processes_of


def test_down_leaves_no_process(paper: Fleet) -> None:
    ours = family(set(processes_of(paper)))
    assert ours
    down = paper.cli.run("--fleet", "paper", "down")
    assert down.returncode == 0, down.stderr
    assert not processes_of(paper)
    assert not living(ours)
