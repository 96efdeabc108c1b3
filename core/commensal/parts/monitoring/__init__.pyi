"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .environment import health_problems as health_problems

__all__: list[str]
