"""A real HTTP server on this machine for tests: it answers as planned, and records the requests."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ..parts.outbound.client import GuardedTransport


@dataclass(frozen=True)
class ReceivedRequest:
    """A recorded request, with headers by their lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class PlannedAnswer:
    """A planned response. `before` is set when its request has arrived; it is not sent before `after` is set."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    before: threading.Event = field(default_factory=threading.Event)
    after: threading.Event | None = None


class Receiver:
    """``with Receiver() as receiver: receiver.say(PlannedAnswer(500)); …`` Other requests are answered 200.

    `say` plans responses to the next requests, in turn; `always` is the response to all others.
    """

    def __init__(self) -> None:
        self.received: list[ReceivedRequest] = []
        self.always = PlannedAnswer()
        self._next: list[PlannedAnswer] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Serves HTTPS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def say(self, *answers: PlannedAnswer) -> None:
        self._next += answers

    def answer(self, request: ReceivedRequest) -> PlannedAnswer:
        self.received.append(request)
        return self._next.pop(0) if self._next else self.always

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.answer(ReceivedRequest(self.command, self.path, headers, body))
            answer.before.set()
            if answer.after is not None:
                answer.after.wait(30)
            try:
                self.send_response(answer.status)
                for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True  # the client has disconnected

        do_GET = do_POST = do_PUT = _take

        def log_message(self, *_: object) -> None: ...

    return Handler


# A provider that the test simulates: it gives planned responses, and records the requests.

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
