"""A real fleet for the session: guard, gateway, ledger, venue, Ray and actors, from the CLI."""

from collections.abc import Iterator

import pytest

from tests.e2e.under_test import Cli, Fleet


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def paper(cli: Cli) -> Iterator[Fleet]:
    """The demo's fleet, rolled out once; taken down again whatever the tests did to it."""
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Fleet(cli, "paper")
    finally:
        cli.run("--fleet", "paper", "down")
