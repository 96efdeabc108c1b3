"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .lists import console as console
from .lists import print_counts as print_counts
from .shell import told as told

__all__: list[str]
