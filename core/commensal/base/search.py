"""Text as people search for it: without case, accents and ligatures. SQLite's own LIKE knows only ASCII."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'"})
_LONGEST = 200  # characters of what somebody typed into a search field
_WORD = re.compile(r"[a-z0-9]+")
_PLURALS = (  # the first ending that fits, and what stands instead: gateaux, bocaux, choux, berries, dishes, tomatoes
    ("eaux", "eau"), ("aux", "al"), ("oux", "ou"), ("eux", "eu"), ("ies", "y"), ("shes", "sh"), ("ches", "ch"),
    ("xes", "x"), ("sses", "ss"), ("oes", "o"), ("ss", "ss"), ("s", ""),
)  # fmt: skip
_MOST = 8  # words of it


def search_key(text: str) -> str:
    """``Œufs  d’été`` becomes ``oeufs d'ete``: compare and sort by it, never show it."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return " ".join("".join(one for one in plain if not unicodedata.combining(one)).split())


def matches(column: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """True where `column`, which holds search keys, contains every word of what was typed."""
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return and_(True, *(_has(column, word) for word in words))


def contains_text(column: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """True where `column`, in whatever spelling people wrote it, contains what was typed: `elodie` is in ``Élodie``.

    It reads every row, and is for reports; what is searched often keeps its `search_key` in a column of its own.
    """
    return _KeyOf(column).contains(search_key(typed[:_LONGEST]), autoescape=True)


class _KeyOf(FunctionElement[str]):
    """`search_key` in the database: a function of ours on SQLite, see `storage/database/engine.py`."""

    name, type, inherit_cache = "search_key", Text(), True


@compiles(_KeyOf)
def _on_sqlite(element: _KeyOf, compiler: SQLCompiler, **named: Any) -> str:
    return f"search_key({compiler.process(element.clauses, **named)})"


@compiles(_KeyOf, "postgresql")
def _on_postgresql(element: _KeyOf, compiler: SQLCompiler, **named: Any) -> str:
    key = f"lower({compiler.process(element.clauses, **named)})"
    for sign, instead in (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("ß", "ss"), ("’", "''")):
        key = f"replace({key}, '{sign}', '{instead}')"
    return f"regexp_replace(normalize({key}, NFKD), '[\u0300-\u036f]', '', 'g')"


def finds(text: str, typed: str) -> bool:
    """The same for a `text` that is at hand, whatever its spelling: plurals find singulars, and the other way round."""
    key = search_key(text)
    stems = {stem(word) for word in _WORD.findall(key)}
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return all(word in key or stem(word) in stems for word in words)


def stem(word: str) -> str:
    """A word of a search key without its regular plural, French or English: what two forms of it share.

    It is compared, and never shown: ``frais`` may lose its s as long as it always does.
    """
    for ending, instead in _PLURALS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    return word


def _has(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    return or_(*(column.contains(one, autoescape=True) for one in {word, stem(word)} if len(one) >= min(4, len(word))))
