"""Runs code of other plugins for their types of message: names the plugin at fault, and protects all other messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError

from commensal import Busy, PluginError, Transaction

from ..dfc.findings import UnreadableDocument
from ..messages.types import Reading, Refuse, Wait
from ..runtime import FEDERATION, Binding, Federation
from ..signing import JsonObject, Unreadable

_log = structlog.get_logger("commensal.federation")
READING = 2.0  # seconds for a plugin to read a document of a megabyte; messages of all peers share eight threads
_ANSWERS = (Wait, Refuse, Unreadable, UnreadableDocument)  # what a plugin may raise: none of them is a fault


@dataclass(frozen=True)
class Unread:
    """Stands for a body that the plugin failed to read; `fault` says why."""

    fault: str


@contextmanager
def blaming(federation: Federation, binding: Binding, tx: Transaction | None = None) -> Iterator[None]:
    """Surrounds code of the plugin that brought the type: records its errors under its name, and raises them again.

    A plugin that hangs in `tx` loses the transaction. Raises `PluginError` while the plugin is set aside.
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
    """Returns the body, or `Unread` if another plugin's code fails or takes longer than `READING`. Raises `Unreadable`
    as `read` of the type does."""
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
    """Runs `failed` or `recover` of a type. A fault of another plugin is recorded, its work is undone, and delivery
    goes on."""
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
    """Describes an error for operators, with the plugin at fault."""
    text = error.what if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return text if binding.plugin == FEDERATION else f"plugin {binding.plugin}: {text}"
