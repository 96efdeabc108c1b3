"""An HTTP client for URLs that strangers name.

It refuses plain HTTP, internal addresses and other ports unless the operator allows them. It follows no redirects, uses
no proxy of the environment, no cookies and no passwords from files, and aborts responses beyond its limits.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

import httpx

from ...base.errors import Problem
from ...instance.settings import OutboundSettings
from .guard import AddressGuard, RequestRefused, Resolve
from .guard import resolve as system_resolve
from .limits import ResponseLimits

if TYPE_CHECKING:
    from ...instance import Instance

_LONGEST_URL = 2000  # characters
_PORTS = {"http": 80, "https": 443}
_PUBLIC = "1.1.1.1"  # stands for a host name, which is resolved only when it is dialled


def http_client(instance: Instance, *, seconds: float = 15.0, size: int = 1024 * 1024) -> httpx.Client:
    """A client for one or a few requests: ``with http_client(instance) as client: client.post(url, …)``.

    `seconds` limits each request as a whole, `size` the bytes of its response. Do not use it inside a transaction.
    Every failure is a `httpx.HTTPError`.
    """
    return guarded_client(instance.settings.outbound, ResponseLimits(seconds=seconds, size=size))


def guarded_client(
    settings: OutboundSettings,
    limits: ResponseLimits,
    *,
    resolve: Resolve = system_resolve,
    tls: ssl.SSLContext | None = None,
) -> httpx.Client:
    """A client with these settings and limits. `tls` None: trust the certificate authorities that browsers trust."""
    from .transport import GuardedTransport  # slow to import, and many processes send no requests

    transport = GuardedTransport(AddressGuard(settings, resolve), limits, tls or _default_tls())
    headers = {"Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "Commensal"}
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, headers=headers)


def url_problem(instance: Instance, url: str, where: str) -> Problem | None:
    """What is wrong with a URL, as far as it can be seen without the network; `where` names its field. The guard checks
    the resolved addresses again at every request."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return Problem("url", "This is not an address of the web.", where)
    is_web = parsed.scheme in _PORTS and bool(parsed.host)
    if not is_web or len(url) > _LONGEST_URL or parsed.userinfo or parsed.fragment:
        return Problem("url", "Give an address like https://example.org/path, without a password in it.", where)
    is_name = not _is_address(parsed.host)
    if is_name and instance.settings.outbound.allow:
        return None
    try:
        guard = AddressGuard(instance.settings.outbound)
        guard.refuse(parsed.scheme, _PUBLIC if is_name else parsed.host, parsed.port or _PORTS.get(parsed.scheme, 0))
    except RequestRefused:
        text = "This address cannot be reached from here: it must begin with https, and be on the public Internet."
        return Problem("url", text, where)
    return None


def _is_address(host: str) -> bool:
    """Whether the host is an address in any notation: resolvers accept 127.1 and 0x7f000001, and no host name ends in a
    number."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdecimal() or last[:2].lower() == "0x"


@cache
def _default_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
