"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .export import forget_me as forget_me
from .export import my_archive as my_archive

__all__: list[str]
