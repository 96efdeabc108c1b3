"""Search that ignores case, accents and ligatures. SQLite's own LIKE does so only for ASCII."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from sqlalchemy import ColumnElement, Text, and_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'"})
_LONGEST = 200  # characters of a search text
_WORD = re.compile(r"[a-z0-9]+")
_PLURALS = (  # the first ending that matches, and its replacement: gateaux, bocaux, choux, berries, dishes, tomatoes
    ("eaux", "eau"),
    ("aux", "al"),
    ("oux", "ou"),
    ("eux", "eu"),
    ("ies", "y"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("sses", "ss"),
    ("oes", "o"),
    ("ss", "ss"),
    ("s", ""),
)
_MOST = 8  # words of a search text
_SHORTEST_WITH_SLIP = 4  # letters of a word that may have a slip; among shorter ones everything is near everything


def search_key(text: str) -> str:
    """The key for comparing and sorting, never for showing: ``oeufs d'ete`` for ``Œufs  d’été``."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return " ".join("".join(character for character in plain if not unicodedata.combining(character)).split())


def matches(column: ColumnElement[str], typed: str) -> ColumnElement[bool]:
    """A condition that `column`, which contains search keys, contains every word of the search text `typed`."""
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return and_(True, *(_has(column, word) for word in words))


def contains_text(column: ColumnElement[str], typed: str) -> ColumnElement[bool]:
    """A condition that `column`, which contains plain text, contains the search text: ``Élodie`` contains `elodie`.

    It reads every row, and is for reports; texts that are searched often have a column with their `search_key`.
    """
    return _KeyOf(column).contains(search_key(typed[:_LONGEST]), autoescape=True)


class _KeyOf(FunctionElement[str]):
    """`search_key`, computed by the database; SQLite calls a Python function, see `storage/database/engine.py`."""

    name, type, inherit_cache = "search_key", Text(), True


@compiles(_KeyOf)
def _on_sqlite(element: _KeyOf, compiler: SQLCompiler, **kwargs: object) -> str:
    return f"search_key({compiler.process(element.clauses, **kwargs)})"


@compiles(_KeyOf, "postgresql")
def _on_postgresql(element: _KeyOf, compiler: SQLCompiler, **kwargs: object) -> str:
    key = f"lower({compiler.process(element.clauses, **kwargs)})"
    for character, replacement in (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("ß", "ss"), ("’", "''")):
        key = f"replace({key}, '{character}', '{replacement}')"
    return f"regexp_replace(normalize({key}, NFKD), '[\u0300-\u036f]', '', 'g')"


def finds(text: str, typed: str) -> bool:
    """Whether `text` contains every word of the search text `typed`; singulars and plurals match each other."""
    key, stems = _searched(text)
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return all(word in key or stem(word) in stems for word in words)


def finds_nearly(text: str, typed: str) -> bool:
    """Like `finds`, with one slip in each word of four letters and more: *carotes*, *fromgae* for *fromage*.

    A slip is a letter too many, missing or wrong, or two letters that are swapped.
    """
    key, stems = _searched(text)
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return all(word in key or any(_nearly_equal(stem(word), other) for other in stems) for word in words)


@lru_cache(maxsize=2048)
def _searched(text: str) -> tuple[str, frozenset[str]]:
    """The key of a text and the stems of its words. The same labels are searched for each word that somebody types."""
    key = search_key(text)
    return key, frozenset(stem(word) for word in _WORD.findall(key))


def _nearly_equal(word: str, other: str) -> bool:
    if word == other or min(len(word), len(other)) < _SHORTEST_WITH_SLIP or abs(len(word) - len(other)) > 1:
        return word == other
    while word and other and word[0] == other[0]:
        word, other = word[1:], other[1:]
    while word and other and word[-1] == other[-1]:
        word, other = word[:-1], other[:-1]
    return len(word) <= 1 >= len(other) or (len(word) == 2 and word == other[::-1])


def stem(word: str) -> str:
    """A word of a search key without its regular French or English plural ending.

    It is only for comparing, so it may be no word: ``frais`` loses its s too.
    """
    for ending, replacement in _PLURALS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + replacement
    return word


def _has(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return or_(
        *(column.contains(form, autoescape=True) for form in {word, stem(word)} if len(form) >= min(4, len(word)))
    )
