"""A client of the API for the demo story, which behaves like a browser."""

from __future__ import annotations

import itertools
from typing import Any

import httpx

from ..terminal.shell import spoken

_LONGEST = 30.0  # seconds for one answer


class Unexpected(Exception):
    """The instance gave an answer that the story does not expect."""


class Visitor:
    """A client for one person. All methods but `ask` raise `Unexpected` for an error, with the answer."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        # Like a browser, it sends Origin; otherwise requests with its cookie would be refused.
        self._client = httpx.Client(base_url=f"{url}/api", headers={"Origin": url}, timeout=_LONGEST, trust_env=False)
        self._numbers = itertools.count()

    def log_in(self, email: str, password: str) -> None:
        self.post("/sessions", {"email": email, "password": password})

    def get(self, path: str, **query: Any) -> Any:
        return self._read(self._client.get(path, params=query))

    def post(self, path: str, body: object = None, *, version: int | None = None) -> Any:
        return self._read(self.ask("POST", path, body, version=version))

    def put(self, path: str, body: object = None, *, version: int | None = None) -> object:
        return self._read(self.ask("PUT", path, body, version=version))

    def patch(self, path: str, body: object, *, version: int) -> object:
        return self._read(self.ask("PATCH", path, body, version=version))

    def send(self, path: str, content: bytes, **query: Any) -> Any:
        """Uploads a file."""
        headers = {"Content-Type": "application/octet-stream", **self._key()}
        return self._read(self._client.post(path, content=content, params=query, headers=headers))

    def ask(self, method: str, path: str, body: object = None, *, version: int | None = None) -> httpx.Response:
        """The response itself, for requests that may be refused."""
        headers = self._key() if version is None else {**self._key(), "If-Match": f'"{version}"'}
        return self._client.request(method, path, json=body, headers=headers)

    def close(self) -> None:
        self._client.close()

    def _key(self) -> dict[str, str]:
        return {"Idempotency-Key": f"{self.name}-{next(self._numbers)}"}

    def _read(self, answer: httpx.Response) -> object:
        if not answer.is_success:
            request = answer.request
            request_line = f"{request.method} {request.url.path}"
            message = "{name}: {request} said {status} {answer}"
            raise Unexpected(
                spoken(message, name=self.name, request=request_line, status=answer.status_code, answer=answer.text)
            )
        return answer.json() if answer.content else None
