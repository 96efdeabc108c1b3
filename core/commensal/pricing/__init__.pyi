"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .lines import heaviest as heaviest
from .values import Totals as Totals

__all__: list[str]
