"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .upkeep.upkeep import ask_for as ask_for
from .upkeep.upkeep import newest_done as newest_done

__all__: list[str]
