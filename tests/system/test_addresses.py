"""Our own address is found in the routing table, without a packet."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from ssgui.system import addresses


def test_is_an_address_of_ours_or_nothing() -> None:
    found = addresses.own_address()
    if found is None:
        assert [family for family, target in addresses.ELSEWHERE if _routed(family, target)] == []
    else:
        assert not ip_address(found).is_loopback
        with socket.socket(socket.AF_INET6 if ":" in found else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((found, 0))  # fails for an address that is not this machine's


def _routed(family: int, target: str) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((target, 9))
        except OSError:
            return False
        return not ip_address(sock.getsockname()[0]).is_loopback


def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> socket.socket:
        raise OSError("no such family")

    monkeypatch.setattr(socket, "socket", refuse)
    assert addresses.own_address() is None
    assert addresses.own_addresses() == frozenset()


def test_all_of_ours_can_be_bound() -> None:
    found = addresses.own_addresses()
    assert (addresses.own_address() in found) == bool(found)
    for address in found:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
