"""The paper fleet of the end-to-end tests, for soaks that need one as it stands."""

from tests.e2e.conftest import cli, paper

__all__ = ["cli", "paper"]
