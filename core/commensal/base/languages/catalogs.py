"""Translations: the English text is the key, the rest stands in the `.po` files of the core and of each plugin.

They are read from ``locale/<language>/LC_MESSAGES/*.po`` when a language is first needed; nothing is compiled before.
Where two files translate one text, the core's counts, then that of the plugin whose id comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ...hooks.loading import found_plugins
from ..errors import Problem, Refused, Several, Trouble
from .formats import in_words

LANGUAGES = ("fr", "en")  # that the core speaks
_LONGEST = 500  # characters of an Accept-Language header that are looked at
_CORE = Path(__file__).parents[2] / "locale"


def translate(language: str, text: str) -> str:
    """The text in `language` ("fr"); the text itself where there is no translation."""
    return _translations(language).gettext(text) if text else ""  # the empty key holds the file's header


def plural(language: str, one: str, many: str, count: int) -> str:
    """The form of the text that goes with `count`, by the rules of the language; `{count}` is left to fill in."""
    return _translations(language).ngettext(one, many, count)


def say(language: str, said: Problem | Refused | Trouble) -> str:
    """What an error or a problem says, with its values; amounts and decimals as the language writes them.

    Problems inside an error, and where a problem is, are not told: whoever shows them knows how.
    """
    values = {name: _inner(value, language) for name, value in said.values.items()}
    return translate(language, said.text).format(**values)


def _inner(value: object, language: str) -> object:
    if isinstance(value, Several):
        return "; ".join(str(_inner(one, language)) for one in value.said)
    return say(language, value) if isinstance(value, Problem | Refused | Trouble) else in_words(value, language)


def best_language(accepted: str, allowed: Sequence[str] = LANGUAGES, *, default: str) -> str:
    """The allowed language that an Accept-Language header (RFC 9110, 12.5.4) likes most, else `default`.

    A region counts for its language: who asks for fr-CH gets fr. What cannot be read is passed over.
    """
    ranked = sorted(_preferences(accepted[:_LONGEST]), key=lambda one: -one[1])
    for tag, weight in ranked:
        if weight <= 0 or tag == "*":
            break
        for language in allowed:
            if tag == language or tag.startswith(f"{language}-"):
                return language
    return default


def _preferences(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted.split(","):
        tag, _, weight = part.replace(" ", "").lower().partition(";q=")
        try:
            yield tag, float(weight) if weight else 1.0
        except ValueError:
            continue


@cache
def _translations(language: str) -> NullTranslations:
    translations = NullTranslations()
    for file in reversed(list(_files(language))):
        found = _read(file)
        found.add_fallback(translations)
        translations = found
    return translations


def _files(language: str) -> Iterator[Path]:
    if not language.isalpha():  # it becomes part of a path
        return
    for folder in _folders():
        yield from sorted((folder / language / "LC_MESSAGES").glob("*.po"))


def _folders() -> Iterator[Path]:
    yield _CORE
    for _, point in sorted(found_plugins().items()):
        specification = find_spec(point.module)
        for folder in (specification and specification.submodule_search_locations) or ():
            yield Path(folder) / "locale"


def _read(file: Path) -> GNUTranslations:
    with file.open("rb") as source:
        catalog = read_po(source, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
