"""The build that processes tell one another is the package's version."""

import tomllib
from pathlib import Path

from fleet.build import BUILD


def test_the_build_is_the_packages_version() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == BUILD
