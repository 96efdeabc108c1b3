"""How bytes reach another instance: over HTTP by the guarded client, or as a simulator sees fit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from commensal import Instance, http_client


@dataclass(frozen=True)
class Request:
    """`headers` are in the order in which they are sent; names in lower case."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first header of that name, in lower case; empty where there is none."""
        return next((value for known, value in self.headers if known == name), "")


class Unreachable(Exception):
    """No answer: the other side may or may not have read the request."""


class Transport(Protocol):
    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        """Raises `Unreachable`. `seconds` limits the whole exchange, `size` the bytes of the answer."""
        ...

    def wait(self, seconds: float) -> None:
        """Returns when others have had so long to say something. Not inside a transaction."""
        ...


class HttpTransport:
    """The Internet, as far as the guard lets it."""

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
