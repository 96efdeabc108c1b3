"""Checks the answers of plugins against the return annotations of the hooks' specifications."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import commensal

from . import specifications
from .contract import AnyHook

_LISTS = (list, tuple)


def answer_problem(hook: AnyHook, answer: object) -> str:
    """A text for the operator that says what is wrong with the answer; "" if it is as the specification promises."""
    is_valid, description = _answer_rule(hook)
    return "" if is_valid(answer) else f"{answer!r:.200} is not a {description}"


@cache
def _answer_rule(hook: AnyHook) -> tuple[Callable[[object], bool], str]:
    """A check of answers, and the name of the type that it expects."""
    hint = _return_annotation(hook)
    if hint is type(None):
        return lambda answer: True, ""  # the answer is not used
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    (kind,) = (choice for choice in choices if choice is not type(None))
    empty = type(None) in choices
    if get_origin(kind) is Sequence:
        (item,) = get_args(kind)
        return lambda answer: (answer is None and empty) or _is_list_of(item, answer), f"list of {item.__name__}"
    plain = get_origin(kind) or kind
    return lambda answer: (answer is None and empty) or isinstance(answer, plain), kind.__name__


def _is_list_of(item: type, answer: object) -> bool:
    return isinstance(answer, _LISTS) and all(isinstance(member, item) for member in answer)


def _return_annotation(hook: AnyHook) -> object:
    annotated = types.SimpleNamespace(__annotations__={"return": hook.specification.__annotations__["return"]})
    return get_type_hints(annotated, vars(specifications), _AnnotationNames())["return"]


class _AnnotationNames(dict[str, Any]):
    """Resolves names that specifications import for the type checker only; plugins import them from `commensal`."""

    def __missing__(self, name: str) -> object:
        if not hasattr(commensal, name):
            raise KeyError(name)
        return getattr(commensal, name)
