"""What commands say, in the language of whoever types them.

The shell says which: the first of ``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set, as gettext has it
(POSIX, XBD 8.2). What begins with ``fr`` is answered in French, everything else in English.
"""

from __future__ import annotations

import os
from inspect import cleandoc

import typer

from ..errors import Problem, Refused, Several, Trouble

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def shell_language() -> str:
    """``fr`` or ``en``."""
    wanted = next((value for name in _VARIABLES if (value := os.environ.get(name))), "")
    return "fr" if wanted.startswith("fr") else "en"


def spoken(text: str, /, **values: object) -> str:
    """The text in the shell's language, with its values as they are: amounts and decimals are typed with a point, and
    so they are told. A value that is an error or a problem is told in that language too."""
    said = _translated(text)
    return said.format(**{name: _inner(value) for name, value in values.items()}) if values else said


def print_line(text: str, /, **values: object) -> None:
    """Prints one line to stdout, in the shell's language."""
    typer.echo(spoken(text, **values))


def told(said: object) -> str:
    """What an error or a problem says, in the shell's language, with where it is and all that was wrong; anything
    else, like an error of a library, says what it says."""
    match said:
        case Problem():
            sentence = spoken(said.text, **said.values)
            return f"{place(said)}: {sentence}" if said.where else sentence
        case Refused():
            return "; ".join([spoken(said.text, **said.values), *map(told, said.problems)])
        case Several():
            return "; ".join(map(told, said.said))
        case Trouble():
            return spoken(said.text, **said.values)
    return str(said)


def place(said: Problem) -> str:
    """Where a problem is: what was sent names it, and only rows of a list have words."""
    if not said.where.startswith("row "):
        return said.where
    column = said.values.get("column")
    return spoken("row {row}, {column}" if column else "row {row}", row=said.values["row"], column=column)


def as_key(text: str) -> str:
    """A docstring as translations name it: each of its paragraphs is one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


def _inner(value: object) -> object:
    return told(value) if isinstance(value, Problem | Refused | Several | Trouble) else value


def _translated(text: str) -> str:
    if (language := shell_language()) == "en":
        return text
    from .catalogs import translate  # Babel and the plugins' files take a while

    return translate(language, text)
