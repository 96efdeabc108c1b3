"""An HTTP client for addresses that strangers name. What it does not do is the point:

no plain HTTP and no inner addresses but those the operator allows, no other ports, no redirects, no proxies from the
environment, no cookies or passwords from files, and no answer that is larger or slower than its limits say.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

import httpx

from ...base.errors import Problem
from ...instance.settings import OutboundSettings
from .guard import Guard, Refused, Resolve
from .guard import resolve as by_the_system
from .limits import Limits

if TYPE_CHECKING:
    from ...instance import Instance

_LONGEST_URL = 2000  # characters
_PORTS = {"http": 80, "https": 443}
_PUBLIC = "1.1.1.1"  # what a name passes for until it is dialled


def http_client(instance: Instance, *, seconds: float = 15.0, size: int = 1024 * 1024) -> httpx.Client:
    """A client for one or a few requests: ``with http_client(instance) as client: client.post(url, …)``.

    `seconds` limits each request as a whole, `size` the bytes of its answer. Not inside a transaction. All that goes
    wrong is a `httpx.HTTPError`.
    """
    return guarded_client(instance.settings.outbound, Limits(seconds=seconds, size=size))


def guarded_client(
    settings: OutboundSettings, limits: Limits, *, resolve: Resolve = by_the_system, tls: ssl.SSLContext | None = None
) -> httpx.Client:
    """The same from its parts. `tls` None: certificates are those that browsers trust."""
    from .transport import GuardedTransport  # it takes long to load, and many processes never ask anybody

    transport = GuardedTransport(Guard(settings, resolve), limits, tls or _trusted())
    headers = {"Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "Commensal"}
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, headers=headers)


def url_problem(instance: Instance, url: str, where: str) -> Problem | None:
    """What is wrong with an address that somebody names, as far as it shows without asking the network. The guard
    judges it again, by what the name stands for, whenever it is dialled."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        return Problem("url", "This is no address of the web.", where)
    known = read.scheme in _PORTS and bool(read.host)
    if not known or len(url) > _LONGEST_URL or read.userinfo or read.fragment:
        return Problem("url", "Give an address like https://example.org/path, without a password in it.", where)
    named = not _is_address(read.host)
    if named and instance.settings.outbound.allow:
        return None
    try:
        guard = Guard(instance.settings.outbound)
        guard.refuse(read.scheme, _PUBLIC if named else read.host, read.port or _PORTS.get(read.scheme, 0))
    except Refused:
        text = "This address cannot be reached from here: it must begin with https, and be on the public Internet."
        return Problem("url", text, where)
    return None


def _is_address(host: str) -> bool:
    """A number in whatever spelling: a resolver takes 127.1 and 0x7f000001 for addresses, no name ends in a number."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdecimal() or last[:2].lower() == "0x"


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
