"""Who acts now, and by which command: said once where a request, a job or a command begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from ..people.actor import Actor

Kind = Literal["person", "token", "peer", "shell", "job", "provider", "nobody"]


@dataclass(frozen=True, kw_only=True)
class Acting:
    """`enterprise_id` is for which enterprise it is done; None: for oneself, or for the instance. `client` is the
    address of the peer, or the name of the platform."""

    kind: Kind
    command: str = ""
    enterprise_id: str | None = None
    person_id: str | None = None
    token_id: str | None = None
    client: str = ""


_NOBODY = Acting(kind="nobody")
_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


class _ShellCommand(threading.local):
    """The command of the shell that runs in this thread, like ``commensal sale close``; empty where none runs.

    Not a context variable: the requests that `commensal serve` answers in other threads are not its doing.
    """

    name = ""


_shell = _ShellCommand()


@contextmanager
def acting(one: Acting) -> Iterator[None]:
    """What changes until the block ends is this one's doing."""
    token = _acting.set(one)
    try:
        yield
    finally:
        _acting.reset(token)


@contextmanager
def shell_command(name: str) -> Iterator[None]:
    """What changes in this thread until the block ends is the doing of this command, unless `acting` names somebody."""
    before, _shell.name = _shell.name, name
    try:
        yield
    finally:
        _shell.name = before


def acting_for(actor: Actor, command: str, enterprise_id: str | None = None) -> Acting:
    """A person, their token, or a program of others, as they were recognised."""
    stranger: Kind = "peer" if actor.client else "nobody"
    kind: Kind = stranger if actor.person_id is None else "token" if actor.token_id else "person"
    return Acting(
        kind=kind,
        command=command,
        enterprise_id=enterprise_id,
        person_id=actor.person_id,
        token_id=actor.token_id,
        client=actor.client,
    )


def who_acts() -> Acting:
    """Whoever was said; else the command of the shell that runs in this thread; else nobody who is known."""
    said = _acting.get()
    if said is not None:
        return said
    return Acting(kind="shell", command=_shell.name) if _shell.name else _NOBODY
