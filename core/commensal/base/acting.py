"""Who acts now, and by which command: set once at the beginning of a request, a job or a command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["person", "token", "peer", "shell", "job", "provider", "nobody"]


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Who acts, and by which command.

    `enterprise_id` is the enterprise for which they act; None: for themselves, or for the instance. `client` is the
    address of the peer, or the name of the platform.
    """

    kind: ActorKind
    command: str = ""
    enterprise_id: str | None = None
    person_id: str | None = None
    token_id: str | None = None
    client: str = ""


_NOBODY = Acting(kind="nobody")
_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


class _ShellCommand(threading.local):
    """The command of the shell that runs in this thread, like ``commensal sale close``; empty if none runs.

    It is not a context variable: `commensal serve` is not the author of the requests that other threads answer.
    """

    name = ""


_shell = _ShellCommand()


@contextmanager
def acting(author: Acting) -> Iterator[None]:
    """Makes `author` the author of all changes until the block ends."""
    token = _acting.set(author)
    try:
        yield
    finally:
        _acting.reset(token)


@contextmanager
def shell_command(name: str) -> Iterator[None]:
    """Makes this command the author of all changes in this thread until the block ends, unless `acting` names one."""
    command_before, _shell.name = _shell.name, name
    try:
        yield
    finally:
        _shell.name = command_before


def current_actor() -> Acting:
    """Returns the author set by `acting`; else the shell command that runs in this thread; else "nobody"."""
    actor = _acting.get()
    if actor is not None:
        return actor
    return Acting(kind="shell", command=_shell.name) if _shell.name else _NOBODY
