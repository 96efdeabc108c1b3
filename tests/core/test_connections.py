"""Clients that hold a connection and send nothing useful, against a real server on the loopback."""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from commensal.parts.serving import serving
from commensal.parts.serving.serving import LimitedConnection, bound_unread, connection_limit
from commensal.parts.web.intake import Intake

HALF = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Len"
WHOLE = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Runs a server with a short time limit for heads; yields its port."""
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    listener = socket.socket()
    bound_unread(listener)
    listener.bind(("127.0.0.1", 0))
    listener.listen(400)
    server = uvicorn.Server(uvicorn.Config(Intake(app), http=LimitedConnection, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def connect(port: int, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(sent)
    return client


def read_answer(client: socket.socket) -> bytes:
    """Returns an answer of `app`, whose head and body may arrive apart."""
    answer = b""
    while not answer.endswith(b" bytes") and (part := client.recv(65536)):
        answer += part
    return answer


def read_to_end(client: socket.socket) -> bytes:
    """Returns what arrives until the server ends the connection; fails after 20 seconds."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_three_hundred_half_open_requests_are_given_up(port: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, HALF if number % 2 else b"")) for number in range(300)]
        assert [read_to_end(client) for client in clients] == [b""] * 300


def test_a_second_request_that_stays_half_is_given_up_too(port: int) -> None:
    with connect(port, WHOLE + b"apple") as client:
        assert read_answer(client).endswith(b"5 bytes")
        client.sendall(HALF)  # which ends uvicorn's own limit of the time between two requests
        assert read_to_end(client) == b""


def test_a_body_may_come_later_than_a_head(port: int) -> None:
    with connect(port, WHOLE) as client:
        assert select.select([client], [], [], 0.7)[0] == [], "its time is that of bodies: tests/core/test_intake.py"
        client.sendall(b"apple")
        assert b"5 bytes" in read_answer(client)


def test_a_body_in_very_many_tiny_chunks_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(port, head + b"1\r\na\r\n" * 4_000 + b"0\r\n\r\n") as client:
        assert b"4000 bytes" in read_answer(client)
    with connect(port, head + b"1\r\na\r\n" * 6_000) as client:
        assert read_to_end(client).startswith(b"HTTP/1.1 400")


def test_who_goes_away_while_sending_leaves_no_traceback(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        connect(port, WHOLE + b"ap").close()
    with connect(port, WHOLE + b"apple") as client:  # served after them
        assert b"5 bytes" in read_answer(client)
    assert caplog.records == []


def test_the_kernel_ends_connections_whose_answer_nobody_reads() -> None:
    """Each accepted connection inherits the time limit from its listener."""
    with socket.socket() as listener:
        bound_unread(listener)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_there_are_files_for_all_connections_that_are_served() -> None:
    import resource

    limit = connection_limit()
    assert 100 <= limit <= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 400
