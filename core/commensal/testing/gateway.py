"""A provider outside, played by the test: it answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from ..interfaces.outbound.transport import GuardedTransport

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Gateway:
    """While it is entered, every request that code in this process makes with httpx ends here, also one of
    `commensal.http_client`; no name is looked up and nothing leaves the machine.

        gateway.on("POST", "https://pay.example/charges", httpx.Response(201, json={"id": "ch_1"}))

    Of several answers to one address each is given once, in turn, and the last one from then on. An exception is what
    the network does to a request: ``httpx.ConnectError("no route")``. What nobody told it to answer is a ConnectError
    for who asks, and fails the test at its end.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = dict[tuple[str, str], list[Answer]]()
        self._unexpected: list[str] = []
        self._patches = pytest.MonkeyPatch()

    def on(self, method: str, url: str, *answers: Answer) -> None:
        """How requests to this address are answered, whatever their query is."""
        self._answers[method, url] = list(answers)

    def asked(self, method: str, url: str) -> list[httpx.Request]:
        """What came for this address, whatever its query, in order."""
        return [one for one in self.requests if (one.method, _bare(one)) == (method, url)]

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

    def __exit__(self, *raised: object) -> None:
        self._patches.undo()
        assert raised[0] or not self._unexpected, f"the gateway was not told what to answer: {self._unexpected}"

    async def _answer_async(self, request: httpx.Request) -> httpx.Response:
        return self.answer(request)


def _bare(request: httpx.Request) -> str:
    return str(request.url.copy_with(query=None))
