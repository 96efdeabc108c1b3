"""Ports for servers of tests that must know their address before they listen."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress


def free_ports(count: int) -> list[int]:
    """Free ports of 127.0.0.1, below those that the system gives to outgoing connections, so that none takes them."""
    ports = list[int]()
    while len(ports) < count:
        port = secrets.randbelow(10_000) + 20_000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in ports:
                ports.append(port)
    return ports


def free_port() -> int:
    (port,) = free_ports(1)
    return port
