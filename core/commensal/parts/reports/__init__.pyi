"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .run import reports_of as reports_of

__all__: list[str]
