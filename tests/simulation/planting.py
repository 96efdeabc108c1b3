"""Puts one thing in the place of another, until a block ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest import mock

from commensal_federation.handlers import HANDLERS, TYPES

Plant = Callable[[ExitStack], None]


def put(stack: ExitStack, where: Any, name: str, value: Any) -> None:
    stack.enter_context(mock.patch.object(where, name, value))


def put_handler(stack: ExitStack, name: str, **changes: Any) -> None:
    """Of the type of message with this name, in all instances that start from now on."""
    message_type = TYPES[name]
    stack.enter_context(mock.patch.dict(HANDLERS, {message_type: replace(HANDLERS[message_type], **changes)}))


def now(where: Any, name: str) -> Any:
    """What a module calls by this name."""
    return getattr(where, name)


def nothing(*_: Any, **__: Any) -> None:
    return None
