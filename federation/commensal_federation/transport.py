"""How requests reach another instance: over HTTP by the guarded client, or through a simulator."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from commensal import Conflict, Instance, http_client


@dataclass(frozen=True)
class Request:
    """An HTTP request. `headers` are in the order of sending; names in lower case."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """An HTTP response. Names of headers are in lower case."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of the first header of that name, which is in lower case; empty if there is none."""
        return next((value for header, value in self.headers if header == name), "")


class Unreachable(Exception):
    """There was no answer; the other side may have read the request or not. Its text is for logs."""

    def for_people(self, url: str) -> Conflict:
        """Returns what people read in place of the word of a library: what is wrong, and what to do."""
        error, code = self.__cause__, "peer_unreachable"
        if "CERTIFICATE" in str(error).upper():
            text = "The certificate of {url} is not valid. Check the address; if it is right, its operator renews it."
            return Conflict(code, text, url=url)
        if isinstance(error, httpx.TimeoutException):
            text = "{url} has not answered in time. Try again in a few minutes; if it lasts, ask its operator."
            return Conflict(code, text, url=url)
        if isinstance(error, httpx.ConnectError):
            text = "Nothing answers at {url}. Check the address; if it is right, that site is down, or not public."
            return Conflict(code, text, url=url)
        return Conflict(code, "{url} cannot be reached at the moment. Try again in a few minutes.", url=url)


class Transport(Protocol):
    """Sends requests to other instances."""

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        """Sends a request. `seconds` limits the exchange, `size` the bytes of the answer. Raises `Unreachable`."""
        ...

    def wait(self, seconds: float) -> None:
        """Waits so long for messages of others. Not inside a transaction."""
        ...


class HttpTransport:
    """The transport over HTTP, by the guarded client of the core."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        with http_client(self._instance, seconds=seconds, size=size) as client:
            try:
                answer = client.request(
                    request.method, request.url, headers=list(request.headers), content=request.body or None
                )
            except httpx.HTTPError as error:
                raise Unreachable(f"{type(error).__name__}: {error}") from error
        headers = [(name.lower(), value) for name, value in answer.headers.items()]
        return Answer(answer.status_code, headers, answer.content)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)
