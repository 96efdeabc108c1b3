"""Texts of commands, in the language of the shell.

It is the first of ``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set, as in gettext (POSIX, XBD 8.2):
the language with which the value begins, if there is a catalogue for it, and English otherwise.
"""

from __future__ import annotations

import os
import re
from inspect import cleandoc

import typer

from ...base.errors import Problem, Refused, Several, Trouble

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def shell_language() -> str:
    """One of `LANGUAGES`, like ``fr``."""
    locale = next((value for name in _VARIABLES if (value := os.environ.get(name))), "")
    code = re.split("[_.@:-]", locale)[0].lower()
    if code in ("", "en", "c", "posix"):
        return "en"
    from ...base.languages.catalogs import LANGUAGES  # looks for installed plugins

    return code if code in LANGUAGES else "en"


def spoken(text: str, /, **values: object) -> str:
    """The text in the shell's language, with its values. Numbers keep their decimal point, as people type them in
    commands; values that are errors or problems are translated too."""
    sentence = _translated(text)
    return sentence.format(**{name: _inner(value) for name, value in values.items()}) if values else sentence


def print_line(text: str, /, **values: object) -> None:
    """Prints one line to stdout, in the shell's language."""
    typer.echo(spoken(text, **values))


def told(value: object) -> str:
    """The text of an error or a problem in the shell's language, with its place and all its problems; `str` of anything
    else, such as an error of a library."""
    match value:
        case Problem():
            sentence = spoken(value.text, **value.values)
            return f"{problem_place(value)}: {sentence}" if value.where else sentence
        case Refused():
            return "; ".join([spoken(value.text, **value.values), *map(told, value.problems)])
        case Several():
            return "; ".join(map(told, value.parts))
        case Trouble():
            return spoken(value.text, **value.values)
    return str(value)


def problem_place(problem: Problem) -> str:
    """Where a problem is; "row 3, price" is translated, a JSON Pointer is not."""
    if not problem.where.startswith("row "):
        return problem.where
    column = problem.values.get("column")
    return spoken("row {row}, {column}" if column else "row {row}", row=problem.values["row"], column=column)


def translation_key(text: str) -> str:
    """A docstring as the key of its translation: each paragraph is one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


def _inner(value: object) -> object:
    return told(value) if isinstance(value, Problem | Refused | Several | Trouble) else value


def _translated(text: str) -> str:
    if (language := shell_language()) == "en":
        return text
    from ...base.languages.catalogs import translate  # loads Babel and the files of plugins, which is slow

    return translate(language, text)
