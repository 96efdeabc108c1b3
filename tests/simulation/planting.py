"""Replaces one thing by another until a block ends."""

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
    """Changes the handler of this message type, in all instances that start from now on."""
    message_type = TYPES[name]
    stack.enter_context(mock.patch.dict(HANDLERS, {message_type: replace(HANDLERS[message_type], **changes)}))


def now(where: Any, name: str) -> Any:
    """Returns the present value of a name in a module."""
    return getattr(where, name)


def nothing(*_: Any, **__: Any) -> None:
    return None
