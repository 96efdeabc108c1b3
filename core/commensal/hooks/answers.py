"""Is an answer what its specification promises? The annotation of what it returns is the rule."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import commensal

from . import specifications
from .contract import AnyHook


def nonsense(hook: AnyHook, answer: object) -> str:
    """What is wrong with the answer, in words for the operator; empty where it is as promised."""
    wanted, told = _rule(hook)
    return "" if wanted(answer) else f"{answer!r:.200} is no {told}"


@cache
def _rule(hook: AnyHook) -> tuple[Callable[[object], bool], str]:
    """A check, and the name of what it wants."""
    hint = _hint(hook)
    if hint is type(None):
        return lambda answer: True, ""  # who is only told may say what they like
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    (kind,) = (one for one in choices if one is not type(None))
    empty = type(None) in choices
    if get_origin(kind) is Sequence:
        (item,) = get_args(kind)
        return lambda answer: (answer is None and empty) or _list_of(item, answer), f"list of {item.__name__}"
    return lambda answer: (answer is None and empty) or isinstance(answer, kind), kind.__name__


def _list_of(item: type, answer: object) -> bool:
    return isinstance(answer, list | tuple) and all(isinstance(one, item) for one in answer)


def _hint(hook: AnyHook) -> Any:
    told = types.SimpleNamespace(__annotations__={"return": hook.specification.__annotations__["return"]})
    return get_type_hints(told, vars(specifications), _Names())["return"]


class _Names(dict[str, Any]):
    """The names of annotations that specifications import for the type checker only: plugins import the same."""

    def __missing__(self, name: str) -> Any:
        if name not in commensal.__all__:
            raise KeyError(name)
        return getattr(commensal, name)
