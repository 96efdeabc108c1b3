"""Puts one thing in the place of another, until a block ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest import mock

from commensal_federation.messages import registry

Plant = Callable[[ExitStack], None]


def put(stack: ExitStack, where: Any, name: str, value: Any) -> None:
    stack.enter_context(mock.patch.object(where, name, value))


def put_type(stack: ExitStack, name: str, **changes: Any) -> None:
    stack.enter_context(mock.patch.dict(registry.TYPES, {name: replace(registry.TYPES[name], **changes)}))


def now(where: Any, name: str) -> Any:
    """What a module calls by this name."""
    return getattr(where, name)


def nothing(*_: Any, **__: Any) -> None:
    return None
