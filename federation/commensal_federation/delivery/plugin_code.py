"""Runs what other plugins brought for their types of message: a fault of theirs is named, and stops nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError

from commensal import Busy, PluginError, Transaction

from ..bindings import FEDERATION, Binding
from ..dfc.findings import UnreadableDocument
from ..messages.types import Reading, Refuse, Wait
from ..runtime import Federation
from ..signing import JsonObject, Unreadable

_log = structlog.get_logger("commensal.federation")
READING = 2.0  # seconds for a plugin to read a document of a megabyte; messages of all peers share eight threads
_ANSWERS = (Wait, Refuse, Unreadable, UnreadableDocument)  # what a plugin may raise: none of them is a fault


@dataclass(frozen=True)
class Unread:
    """In the place of a body that the plugin failed to read: by what fault."""

    fault: str


@contextmanager
def blaming(federation: Federation, binding: Binding, tx: Transaction | None = None) -> Iterator[None]:
    """Around code of the plugin that brought the type. What it raises is noted with its name, and raised again.

    A plugin that hangs in `tx` loses it. Raises `PluginError` where the plugin is set aside for a while.
    """
    if binding.plugin == FEDERATION:
        yield
        return
    answer: Exception | None = None
    with federation.instance.hooks.running(binding.plugin, f"message {binding.type.name}", tx.hold if tx else None):
        try:
            yield
        except _ANSWERS as error:
            answer = error
    if answer is not None:
        raise answer


def read_body(federation: Federation, binding: Binding, document: JsonObject, reading: Reading) -> object:
    """The body, or `Unread` where another plugin's code fails or takes longer than `READING`. Raises `Unreadable` as
    the type's `read` does."""
    if binding.plugin == FEDERATION:
        return binding.type.read(document, reading)
    answers: list[Exception] = []

    def read() -> object:
        try:
            return binding.type.read(document, reading)
        except _ANSWERS as error:
            answers.append(error)
            return None

    what = f"message {binding.type.name}"
    try:
        body = federation.instance.hooks.run_abandonable(binding.plugin, what, read, READING)
    except Exception as error:  # whatever the plugin raises, its message is kept
        return Unread(fault(binding, error))
    if answers:
        raise answers[0]
    return body


def tell_plugin(federation: Federation, tx: Transaction, binding: Binding, tell: Callable[[], None]) -> None:
    """Runs `failed` or `recover` of a type. A fault of another plugin is noted, what it did is undone, and delivery
    goes on: one plugin must not hold up the messages of all others."""
    if binding.plugin == FEDERATION:
        tell()
        return
    try:
        with tx.attempt(), blaming(federation, binding, tx):
            tell()
    except (Busy, OperationalError):
        raise
    except Exception as error:
        if tx.hold.taken:  # it hung, and nothing of this transaction is kept
            raise
        _log.error("a plugin failed on a message", plugin=binding.plugin, type=binding.type.name, exc_info=error)


def fault(binding: Binding, error: Exception) -> str:
    """What operators read about it: whose fault it is, and which."""
    text = error.what if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return text if binding.plugin == FEDERATION else f"plugin {binding.plugin}: {text}"
