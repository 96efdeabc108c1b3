"""The languages that are offered: those with a catalogue of the core's texts, in the core or in a plugin.

Whoever drops ``locale/de/LC_MESSAGES/commensal.po`` into the core's folder or a plugin's offers German everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from ..entry_points import plugin_entry_points

_CORE = Path(__file__).parents[2] / "locale"
_OWN_TEXTS = "commensal.po"


def catalog_folders() -> Iterator[Path]:
    """The folders ``locale`` of the core and of each installed plugin, in the order in which they are searched."""
    yield _CORE
    for _, point in sorted(plugin_entry_points().items()):
        specification = find_spec(point.module)
        for folder in (specification and specification.submodule_search_locations) or ():
            yield Path(folder) / "locale"


def languages_in(folders: Iterable[Path]) -> tuple[str, ...]:
    """English, and every language with a catalogue of the core's texts in one of these folders."""
    files = (file for folder in folders for file in folder.glob(f"*/LC_MESSAGES/{_OWN_TEXTS}"))
    codes = {"en", *(file.parts[-3] for file in files)}
    return tuple(sorted(code for code in codes if code.isalpha()))


LANGUAGES = languages_in(catalog_folders())
"""ISO 639 codes of the languages that people can choose: English, in which texts are written, and those with a file."""
