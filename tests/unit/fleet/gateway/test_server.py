"""Who may listen on a fleet's socket."""

import socket
from pathlib import Path

import pytest

from fleet.gateway.server import SocketTaken, claim_socket


def test_a_stale_socket_file_is_replaced_and_the_new_one_is_private(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with claim_socket(path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_living_gateway_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with claim_socket(path), pytest.raises(SocketTaken):
        claim_socket(path)
    assert path.exists()
