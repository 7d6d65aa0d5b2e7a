"""A verb that no process of the fleet carries out, written into the history all the same."""

import contextlib

from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import SaidPost
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable


def note(folder: Folder, verb: str, about: str = "", outcome: str = "done") -> None:
    """By the gateway's log; without a gateway nothing runs that it could be about."""
    with contextlib.suppress(Unreachable, ApiFailure):
        GatewayClient(folder).post("/v1/said", SaidPost(verb, about, me(), outcome))
