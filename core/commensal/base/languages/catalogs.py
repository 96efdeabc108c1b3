"""Translations: the English text is the key; the `.po` files of the core and of each plugin contain the rest.

They are read from ``locale/<language>/LC_MESSAGES/*.po`` when a language is first needed, and need no compilation. If
several files translate one text, the core's file wins, then the plugin whose id comes first.

French texts get no-break spaces as they are read: see `spaced`. `offered` says which languages there are;
``commensal texts`` writes the template of a new catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ..errors import Problem, Refused, Several, Trouble
from .formats import format_value
from .offered import LANGUAGES, catalog_folders

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
