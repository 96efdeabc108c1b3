"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .settings import as_label as as_label
from .settings import kind_label as kind_label
from .settings import setting_summary as setting_summary
from .settings import setting_texts as setting_texts
from .settings import try_settings as try_settings

__all__: list[str]
