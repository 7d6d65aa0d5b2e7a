"""Which build this is: what processes of one fleet tell one another."""

from typing import Final

BUILD: Final = "0.1.0"
