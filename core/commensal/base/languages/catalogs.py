"""Translations: the English text is the key; the `.po` files of the core and of each plugin contain the rest.

They are read from ``locale/<language>/LC_MESSAGES/*.po`` when a language is first needed, and need no compilation. If
several files translate one text, the core's file wins, then the plugin whose id comes first.

French texts get no-break spaces as they are read: see `spaced`. `offered` says which languages there are;
``commensal texts`` writes the template of a new catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ..entry_points import plugin_entry_points
from ..errors import Problem, Refused, Several, Trouble
from .formats import format_value

# The languages that are offered: those with a catalogue of the core's texts, in the core or in a plugin.
#
# Whoever drops ``locale/de/LC_MESSAGES/commensal.po`` into the core's folder or a plugin's offers German everywhere.

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


_LONGEST = 500  # characters of an Accept-Language header that are parsed
_MAX_TEXTS = 10_000  # of which the translation is kept: pages and mails have the same again and again
# After "Lexique des règles typographiques en usage à l'Imprimerie nationale": narrow before ? ! ; and %, as wide as
# between words before a colon and inside « ». A percent sign before a letter or digit is a format or part of a URL.
_SIGNS = {
    "fr": (
        (re.compile("(?<!\\s)[ \u00a0\u202f](?=[;?!]|%(?!\\w))"), "\N{NARROW NO-BREAK SPACE}"),
        (re.compile("(?<!\\s)[ \u00a0\u202f](?=[:»])|(?<=«)[ \u00a0\u202f]"), "\N{NO-BREAK SPACE}"),
    )
}


@lru_cache(_MAX_TEXTS)
def translate(language: str, text: str) -> str:
    """The text in `language` ("fr"); the text itself if there is no translation."""
    return _translations(language).gettext(text) if text else ""  # the empty key holds the file's header


@lru_cache(_MAX_TEXTS)
def labelled(language: str, label: str, text: str) -> str:
    """A text with a label before it: *Price: 2.40*, and in French *Prix : 2,40*."""
    return f"{label}{translate(language, ':')} {text}"


def plural(language: str, singular: str, many: str, count: int) -> str:
    """The plural form of the text for `count`, by the rules of the language; `{count}` is not replaced."""
    return _translations(language).ngettext(singular, many, count)


def spaced(language: str, text: str) -> str:
    """The text with the no-break spaces of `language` beside its signs, so that no line begins with one; a text in
    another language than French as it is. Catalogues are written with plain spaces, which every keyboard has."""
    for sign, space in _SIGNS.get(language, ()):
        text = sign.sub(space, text)
    return text


def say(language: str, error: Problem | Refused | Trouble) -> str:
    """The text of an error or a problem in `language`, with its values; amounts and decimals in the language's format.

    Without the `problems` of an error and without `where` of a problem: the caller shows them in its own way.
    """
    values = {name: _inner(value, language) for name, value in error.values.items()}
    return translate(language, error.text).format(**values)


def _inner(value: object, language: str) -> object:
    if isinstance(value, Several):
        return "; ".join(str(_inner(part, language)) for part in value.parts)
    return say(language, value) if isinstance(value, Problem | Refused | Trouble) else format_value(value, language)


def best_language(accepted: str, allowed: Sequence[str] = (), *, default: str) -> str:
    """The allowed language that an Accept-Language header (RFC 9110, 12.5.4) prefers, or `default`. Without `allowed`,
    all languages are.

    A region counts as its language: fr-CH as fr. Parts that cannot be parsed are ignored.
    """
    ranked = sorted(_preferences(accepted[:_LONGEST]), key=lambda preference: -preference[1])
    for tag, weight in ranked:
        if weight <= 0 or tag == "*":
            break
        for language in allowed or LANGUAGES:
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
        catalog = _read(file, language)
        catalog.add_fallback(translations)
        translations = catalog
    return translations


def _files(language: str) -> Iterator[Path]:
    if not language.isalpha():  # it becomes part of a path
        return
    for folder in catalog_folders():
        yield from sorted((folder / language / "LC_MESSAGES").glob("*.po"))


def _read(file: Path, language: str) -> GNUTranslations:
    with file.open("rb") as source:
        catalog = read_po(source, abort_invalid=True)
    for message in catalog:
        if isinstance(message.string, str):
            message.string = spaced(language, message.string)
        elif message.string is not None:
            message.string = tuple(spaced(language, form) for form in message.string)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


# Texts that an enterprise writes: one in its own language, and the same in further ones, by language.

MOST = 20  # further languages of one text
_CODE = re.compile(r"[a-z]{2,3}")  # ISO 639


@dataclass(frozen=True)
class Written:
    """A text and the language that it is in (ISO 639)."""

    language: str
    text: str


def in_language(reader: str, own: str, text: str, others: Mapping[str, str]) -> Written:
    """The text for a reader of the language `reader`; else the author's, in the language `own`; else any there is."""
    if reader != own and reader in others:
        return Written(reader, others[reader])
    if text or not others:
        return Written(own, text)
    return Written(*next(iter(others.items())))


def read_others(
    texts: Mapping[str, str], where: str, problems: list[Problem], read: Callable[[str, str], str]
) -> dict[str, str]:
    """The texts in further languages as they are stored, without those that are empty. Adds mistakes to `problems`.

    `read` makes of a text, and of the place that its mistakes name, what is stored. Languages that this instance does
    not speak are kept: it may learn them, or the enterprise may move.
    """
    if len(texts) > MOST:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": MOST}))
        return {}
    for language in texts:
        if not _CODE.fullmatch(language):
            problems.append(Problem("language", "Name languages by their codes, like fr.", where))
    cleaned = {language: read(text, f"{where}/{language}") for language, text in texts.items()}
    return {language: text for language, text in sorted(cleaned.items()) if text}
