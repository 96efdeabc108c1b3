"""Decorators of plugins, one for each hook: ``@implement.price_adjustments``.

Each is `hookimpl` for its hook alone. Type checkers and editors read `implement.pyi` beside this file: they complete
the names, show the contract, and check what the function returns. ``make generated`` makes it from the
specifications.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from . import specifications
from .contract import Hook, hookimpl

F = TypeVar("F", bound=Callable[..., Any])


class Implement:
    def __getattr__(self, name: str) -> Callable[[F], F]:
        """The decorator for the hook `name`. Raises `AttributeError` if there is no such hook."""
        if not isinstance(getattr(specifications, name, None), Hook):
            names = [hook for hook, value in vars(specifications).items() if isinstance(value, Hook)]
            close = get_close_matches(name, names, n=1)
            raise AttributeError(f"there is no hook {name}" + (f"; did you mean {close[0]}?" if close else ""))

        def mark(function: F) -> F:
            if function.__name__ != name:
                raise TypeError(f"a function that implements {name} is called so, not {function.__name__}")
            return hookimpl(function)

        return mark


implement = Implement()
