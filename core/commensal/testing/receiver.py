"""A real HTTP server on this machine for tests: it answers as planned, and records the requests."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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
