"""Values that must not be visible in logs, errors and exports."""

from __future__ import annotations


class Secret(str):
    """A string whose `str` and `repr` are ``***``; ``reveal()`` returns the value, for the one place that needs it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)" if str.__len__(self) else "Secret()"

    def __str__(self) -> str:
        return "***" if str.__len__(self) else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def reveal(self) -> str:
        """The value. Do not log or return it."""
        return str.__str__(self)
