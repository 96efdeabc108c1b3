"""Finds every text that people read in a package, so that a test can say which ones lack a translation.

Texts are literals: the second argument of an error or a `Problem`, what `translate`, `spoken`, `print_line` and `_` are
given, what templates give to ``_()`` and ``count()``, and what help says of commands. A function that hands such a text
on counts too: a private one within its module, any other within the package.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from .command_texts import help_in

Text = tuple[str, ...]  # one form, or singular and plural
Scopes = tuple[ast.AST, ...]  # the inner one first

# Where a call has its texts, by position.
Calls = dict[str, tuple[int, ...]]
_CALLS: Calls = {
    "Refused": (1,), "Conflict": (1,), "NotFound": (1,), "Forbidden": (1,), "Unauthorised": (1,), "Problem": (1,),
    "SettingsError": (0,), "StoreError": (0,), "Busy": (0,), "Trouble": (0,), "Unfit": (0,), "__init__": (1,),
    "translate": (1,), "plural": (1, 2), "_": (0,), "spoken": (0,), "print_line": (0,),
}  # fmt: skip
_KEYWORD = "text"
_JINJA = ("_", "gettext", "ngettext", "count")


def texts_in(folder: Path) -> dict[Text, str]:
    """Every text below `folder`, in Python and in templates, with the place that says it ("trade/orders/place.py:12").

    Raises `ValueError` for a text that is put together at run time: nobody could translate it.
    """
    found: dict[Text, str] = {}
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.py"))}
    calls = _all_calls(list(trees.values()), _CALLS)
    everywhere = {name: places for name, places in calls.items() if name in _CALLS or not name.startswith("_")}
    for file, tree in trees.items():
        for line, text in _in_python(file, tree, _all_calls([tree], everywhere)):
            found.setdefault(text, f"{file.relative_to(folder.parent)}:{line}")
        for line, said in help_in(file, tree):
            found.setdefault((said,), f"{file.relative_to(folder.parent)}:{line}")
    for file in sorted(one for one in folder.rglob("templates/**/*") if one.is_file()):
        with file.open("rb") as source:
            for line, _, message, _ in babel_extract(source, _JINJA, (), {}):
                found.setdefault(_forms(message), f"{file.relative_to(folder.parent)}:{line}")
    return found


def translations_in(file: Path) -> dict[Text, tuple[str, ...]]:
    """What a `.po` file says, by text; the empty header left out."""
    with file.open("rb") as source:
        catalog = read_po(source, abort_invalid=True)
    return {_forms(one.id): _forms(one.string) for one in catalog if one.id and not one.fuzzy}


def _forms(text: str | Iterable[str | None] | None) -> Text:
    return (text,) if isinstance(text, str) else tuple(one for one in text or () if one is not None)


def _all_calls(trees: list[ast.Module], known: Calls) -> Calls:
    """`known` and all functions that hand a text on to one of them, directly or through another."""
    more = known
    for tree in trees:
        more = _handing_on(tree, more)
    return more if more == known else _all_calls(trees, more)


def _in_python(file: Path, tree: ast.Module, calls: Calls) -> Iterator[tuple[int, Text]]:
    for function, call in _calls(tree):
        places = calls.get(_name(call), ())
        scopes = (function, tree) if function else (tree,)
        texts = [_literals(scopes, argument, file) for argument in _arguments(call, places)]
        forms = zip(*texts, strict=False) if len(places) == 2 else ((text,) for one in texts for text in one)
        yield from ((call.lineno, form) for form in forms)
    for function in _functions(tree):
        yield from ((function.lineno, (text,)) for text in _default(function))


def _handing_on(tree: ast.AST, calls: Calls) -> Calls:
    """`calls` and the functions that pass one of their own parameters on to one of them as its text."""
    more = dict(calls)
    for function, call in _calls(tree):
        if function is None or function.name in calls:
            continue
        names = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
        handed = [one.id for one in _arguments(call, calls.get(_name(call), ())) if isinstance(one, ast.Name)]
        places = tuple(names.index(name) for name in handed if name in names)
        if places:
            more[function.name] = places
    for one in ast.walk(tree):
        if isinstance(one, ast.ClassDef) and one.name not in more and _is_error(one):
            for base in one.bases:
                if isinstance(base, ast.Name) and base.id in calls:
                    more[one.name] = calls[base.id]
    return more


def _is_error(one: ast.ClassDef) -> bool:
    """Whether a class that inherits from an error takes its text where that does."""
    begins = [part for part in one.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    return all([name.arg for name in part.args.args][1:3] == ["code", _KEYWORD] for part in begins)


def _calls(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call, with the innermost function that it stands in."""
    inner: dict[ast.AST, ast.FunctionDef] = {}
    for function in _functions(tree):  # outer ones come first
        inner.update((node, function) for node in ast.walk(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield inner.get(node), node


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _name(call: ast.Call) -> str:
    return (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )


def _arguments(call: ast.Call, places: tuple[int, ...]) -> list[ast.expr]:
    found = [call.args[place] for place in places if place < len(call.args)]
    return found or [one.value for one in call.keywords if places and one.arg == _KEYWORD]


def _literals(scopes: Scopes, argument: ast.expr, file: Path) -> list[str]:
    """The texts that an argument can be: a literal, one of two, or a name that was given literals in these scopes."""
    if isinstance(argument, ast.Constant):
        return [argument.value] if isinstance(argument.value, str) and argument.value else []
    if isinstance(argument, ast.IfExp):
        return [*_literals(scopes, argument.body, file), *_literals(scopes, argument.orelse, file)]
    if isinstance(argument, ast.Name) and scopes:
        values = next((found for scope in scopes if (found := _given_to(argument.id, scope))), [])
        return [text for value in values for text in _literals((), value, file)]
    if isinstance(argument, ast.JoinedStr | ast.BinOp):
        raise ValueError(f"{file}:{argument.lineno}: a text is put together at run time, nobody can translate it")
    return []  # a text that was found where it was made: ``one.text``


def _given_to(name: str, scope: ast.AST) -> list[ast.expr]:
    assigned = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    return [
        node.value for node in assigned if any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
    ]


def _default(function: ast.FunctionDef) -> Iterator[str]:
    """The text that an error says when it is told none."""
    names = [one.arg for one in function.args.args]
    for name, value in zip(reversed(names), reversed(function.args.defaults), strict=False):
        if name == _KEYWORD and function.name == "__init__" and isinstance(value, ast.Constant):
            yield from (one for one in (value.value,) if isinstance(one, str))
