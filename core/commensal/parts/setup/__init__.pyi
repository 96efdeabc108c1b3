"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .setting_words import as_label as as_label
from .setting_words import kind_label as kind_label
from .setting_words import setting_summary as setting_summary
from .setting_words import setting_texts as setting_texts
from .settings_trial import try_settings as try_settings

__all__: list[str]
