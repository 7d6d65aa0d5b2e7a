"""``make bench``: run the benchmarks and print their table."""

import sys
from pathlib import Path

import pytest

OPTIONS = ["-q", "-s", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"]

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).parent), *OPTIONS, *sys.argv[1:]]))
