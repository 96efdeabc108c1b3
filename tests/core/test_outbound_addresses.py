"""Which addresses are public; the lists were collected from known flaws of other software."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from commensal.base.networks import read_allowed
from commensal.parts.outbound.guard import is_public

INNER = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "0.0.0.0", "::", "::1", "::ffff:10.0.0.1",  # noqa: S104
    "::ffff:169.254.169.254", "::10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "2001::1", "::ffff:0:7f00:1", "fe80::5efe:10.0.0.1",
    "2a01:db8::5efe:10.0.0.1", "2a01:db8::200:5efe:127.0.0.1", "fec0::1", "5f00::1", "ff02::1", "ff0e::1",
    "fd00::1", "fd00:ec2::254", "fe80::1", "2001:db8::1", "100::1", "3fff::1", "4000::1",
)  # fmt: skip
OUTER = (
    "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2a00:1450:4007:80c::200e", "64:ff9b::808:808",
    "2002:808:808::", "::ffff:8.8.8.8",
)  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTER)
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "8.8.8.8/32", "::g"]
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def test_the_usual_shortcut_would_let_some_of_them_through() -> None:
    """Shows why we need our own lists; remove them when Python's answer is right."""
    assert [address for address in INNER if ip_address(address).is_global]


def test_the_operator_allows_addresses_and_networks_with_a_port_or_without() -> None:
    exact, network, exact_ipv6, network_ipv6 = read_allowed(["127.0.0.1:8080", "10.0.0.0/8", "[::1]:443", "fd00::/8"])
    assert (exact.contains("127.0.0.1", 8080), exact.contains("127.0.0.1", 80), exact.contains("127.0.0.2", 8080)) == (
        True,
        False,
        False,
    )
    assert (network.contains("10.1.2.3", 1), network.contains("11.0.0.1", 1)) == (True, False)
    assert (exact_ipv6.contains("::1", 443), exact_ipv6.contains("::1", 80), exact_ipv6.contains("127.0.0.1", 443)) == (
        True,
        False,
        False,
    )
    assert network_ipv6.contains("fd12::1", 9)


@pytest.mark.parametrize(
    "text", ["localhost", "127.0.0.1:http", "127.0.0.1:0", "127.0.0.1:70000", "10.0.0.1/8", "", "*"]
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address or network"):
        read_allowed([text])
