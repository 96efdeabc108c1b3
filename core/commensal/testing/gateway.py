"""A provider that the test simulates: it gives planned responses, and records the requests."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from ..parts.outbound.transport import GuardedTransport

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Gateway:
    """While it is entered, it receives every request that code in this process sends with httpx, also with
    `commensal.http_client`. No name is resolved, and nothing leaves the machine.

        gateway.on("POST", "https://pay.example/charges", httpx.Response(201, json={"id": "ch_1"}))

    Several responses for one URL are given in turn, the last one from then on. An exception is raised as a failure of
    the network: ``httpx.ConnectError("no route")``. A request without a planned response gets a ConnectError, and fails
    the test at its end.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = dict[tuple[str, str], list[Answer]]()
        self._unexpected: list[str] = []
        self._patches = pytest.MonkeyPatch()

    def on(self, method: str, url: str, *answers: Answer) -> None:
        """Plans the responses to requests for this URL, whatever their query."""
        self._answers[method, url] = list(answers)

    def asked(self, method: str, url: str) -> list[httpx.Request]:
        """The requests for this URL, whatever their query, in order."""
        return [request for request in self.requests if (request.method, _bare(request)) == (method, url)]

    def answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answers = self._answers.get((request.method, _bare(request)))
        if not answers:
            self._unexpected.append(f"{request.method} {request.url}")
            raise httpx.ConnectError(f"nobody answers {request.method} {request.url}", request=request)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    def __enter__(self) -> Gateway:
        for transport in (httpx.HTTPTransport, GuardedTransport):
            self._patches.setattr(transport, "handle_request", lambda _, request: self.answer(request))
        self._patches.setattr(httpx.AsyncHTTPTransport, "handle_async_request", self._answer_async)
        return self

    def __exit__(self, *exception: object) -> None:
        self._patches.undo()
        assert exception[0] or not self._unexpected, f"the gateway was not told what to answer: {self._unexpected}"

    async def _answer_async(self, request: httpx.Request) -> httpx.Response:
        return self.answer(request)


def _bare(request: httpx.Request) -> str:
    return str(request.url.copy_with(query=None))
