"""Request bodies are read within limits of time and memory; tests do not wait for the event loop's clock."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import anyio
import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commensal.parts.web.intake import Intake

HALF = {"type": "http.request", "body": b"x" * 100_000, "more_body": True}
REST = {"type": "http.request", "body": b"x", "more_body": False}


async def answer_length(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body and answers its length."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def impatient_intake(app: ASGIApp, most: int = 10**9) -> Intake:
    """Returns an intake with a short patience, however much of a body has come."""
    return Intake(app, most=most, patience=0.2, rate=1e9)


class Sender:
    """A client that sends these messages, and then nothing more; `between` is called before each."""

    def __init__(self, *messages: Message, address: str = "192.0.2.1", between: Callable[[], None] = lambda: None):
        self.scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "client": (address, 1)}
        self._left, self._between = list(messages), between
        self.answers: list[MutableMapping[str, Any]] = []

    async def receive(self) -> Message:
        self._between()
        if not self._left:
            await anyio.sleep_forever()
        return self._left.pop(0)

    async def send(self, message: Message) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int:
        return int(self.answers[0]["status"])

    @property
    def code(self) -> str:
        return str(msgspec.json.decode(self.answers[1]["body"])["code"])


def send_all(intake: Intake, *senders: Sender) -> None:
    async def run_senders() -> None:
        async with anyio.create_task_group() as group:
            for sender in senders:
                group.start_soon(intake, sender.scope, sender.receive, sender.send)

    anyio.run(run_senders)


def test_a_body_that_never_ends_is_given_up() -> None:
    slow = Sender(HALF)
    send_all(impatient_intake(answer_length), slow)
    assert (slow.status, slow.code) == (408, "too_slow")


def test_a_body_that_comes_slowly_but_steadily_is_read() -> None:
    seconds = iter(range(0, 1000, 4))  # seconds on the clock each time it is asked
    steady = Sender(*[HALF] * 10, REST)
    send_all(Intake(answer_length, patience=20, now=lambda: anyio.current_time() + next(seconds)), steady)
    assert (steady.status, steady.answers[1]["body"]) == (200, b"1000001")


def test_a_body_that_trickles_is_given_up() -> None:
    seconds = iter(range(0, 1000, 4))
    trickle = Sender(*[{**HALF, "body": b"x"}] * 10, REST)
    send_all(Intake(answer_length, patience=20, now=lambda: anyio.current_time() + next(seconds)), trickle)
    assert trickle.status == 408


def test_large_bodies_together_find_no_more_room_than_there_is() -> None:
    """Bodies of one network share a quarter of the memory; small ones are never refused."""
    intake = impatient_intake(answer_length, most=800_000)
    same_network = [Sender(HALF) for _ in range(3)]  # each is held until its time is over
    small, other = Sender(REST), Sender(HALF, REST, address="198.51.100.1")
    send_all(Intake(answer_length, most=800_000), small, other)
    assert (small.status, other.status) == (200, 200)
    send_all(intake, *same_network)
    assert sorted(sender.status for sender in same_network) == [408, 408, 503]
    later_senders = [Sender(HALF) for _ in range(2)]
    send_all(intake, *later_senders)
    assert [sender.status for sender in later_senders] == [408, 408], "the memory is free again"


def test_who_goes_away_in_the_middle_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    sender = Sender(HALF, {"type": "http.disconnect"})
    send_all(Intake(answer_length), sender)
    assert sender.answers == []
    assert "Traceback" not in capsys.readouterr().out


def test_an_application_that_reads_may_answer_in_its_own_way() -> None:
    async def answer_errors(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await answer_length(scope, receive, send)
        except ClientDisconnect:
            raise
        except Exception as error:
            await PlainTextResponse(type(error).__name__, 418)(scope, receive, send)

    slow = Sender(HALF)
    send_all(impatient_intake(answer_errors), slow)
    assert (slow.status, slow.answers[1]["body"]) == (418, b"TooSlow")
