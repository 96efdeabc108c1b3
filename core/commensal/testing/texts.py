"""Finds every text that people read in a package, so that a test can say which ones lack a translation.

Texts are literals: the second argument of an error or a `Problem`, arguments of `translate`, `spoken`, `print_line` and
`_`, in templates arguments of ``_()`` and ``count()``, and the help of commands. Calls of a function that passes its
parameter on as such a text count too: of a private function within its module, of any other within the package.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from ..parts.terminal.shell import translation_key

# Finds the help texts of commands: their docstrings, the ``help`` of their options, and the first line of a plugin.

_HELPED = ("Option", "Argument", "Typer")  # of typer, each with a `help`


def help_in(file: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The help texts in a module, each with its line. Raises `ValueError` for one composed at run time, since it
    cannot be translated."""
    return ((line, text) for line, text in _all_help(file, tree) if text)


def _all_help(file: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    command_names = set(_made_by_call(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in _HELPED:
            yield from (
                (keyword.lineno, _text(file, keyword.value)) for keyword in node.keywords if keyword.arg == "help"
            )
        elif isinstance(node, ast.FunctionDef) and (
            node.name in command_names or any(map(_is_command, node.decorator_list))
        ):
            yield node.lineno, translation_key(ast.get_docstring(node) or "")
    if file.name == "__init__.py" and any(_brings_commands(node) for node in tree.body):
        yield 1, (ast.get_docstring(tree) or "").partition("\n")[0]


def _is_command(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and _last_name(expression.func) in ("command", "callback")


def _made_by_call(tree: ast.AST) -> Iterator[str]:
    """Names of functions that become commands without a decorator: ``app.command("list")(list_command)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_command(node.func):
            yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))


def _brings_commands(node: ast.stmt) -> bool:
    """Whether the statement defines or imports a plugin's hook ``commands``."""
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "commands" for alias in node.names)
    return isinstance(node, ast.FunctionDef) and node.name == "commands"


def _last_name(expression: ast.expr) -> str:
    return (
        expression.id
        if isinstance(expression, ast.Name)
        else expression.attr
        if isinstance(expression, ast.Attribute)
        else ""
    )


def _text(file: Path, value: ast.expr) -> str:
    if isinstance(value, ast.JoinedStr | ast.BinOp):
        raise ValueError(f"{file}:{value.lineno}: help is put together at run time, nobody can translate it")
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


Text = tuple[str, ...]  # one form, or singular and plural
Scopes = tuple[ast.AST, ...]  # the inner one first

# Where a call has its texts, by position.
Calls = dict[str, tuple[int, ...]]
_CALLS: Calls = {
    "Refused": (1,),
    "Conflict": (1,),
    "NotFound": (1,),
    "Forbidden": (1,),
    "Unauthorised": (1,),
    "Problem": (1,),
    "SettingsError": (0,),
    "StoreError": (0,),
    "Busy": (0,),
    "Trouble": (0,),
    "Unfit": (0,),
    "__init__": (1,),
    "translate": (1,),
    "plural": (1, 2),
    "_": (0,),
    "spoken": (0,),
    "print_line": (0,),
}
_KEYWORD = "text"
_TABLES = ("mail_kinds", "mail_placeholders")  # hooks that return texts by names, translated where they are shown
_KEYWORDS = {
    "OfficePage": ("link", "menu"),
    "OwnRole": ("label", "about"),
    "OwnScope": ("label",),
}  # texts by keyword, translated where they are shown
_JINJA = ("_", "gettext", "ngettext", "count")


def texts_in(folder: Path) -> dict[Text, str]:
    """Every text below `folder`, in Python and in templates, with its place ("orders/place.py:12").

    Raises `ValueError` for a text that is composed at run time, since it cannot be translated.
    """
    texts: dict[Text, str] = {}
    modules = [_Module(file) for file in sorted(folder.rglob("*.py"))]
    calls = _all_calls(modules, _CALLS)
    everywhere = {name: places for name, places in calls.items() if name in _CALLS or not name.startswith("_")}
    for module in modules:
        file = module.file
        for line, text in _in_python(module, _all_calls([module], everywhere)):
            texts.setdefault(text, f"{file.relative_to(folder.parent)}:{line}")
        for line, help_text in help_in(file, module.tree):
            texts.setdefault((help_text,), f"{file.relative_to(folder.parent)}:{line}")
    for file in sorted(path for path in folder.rglob("templates/**/*") if path.is_file()):
        with file.open("rb") as source:
            for line, _, message, _ in babel_extract(source, _JINJA, (), {}):
                texts.setdefault(_forms(message), f"{file.relative_to(folder.parent)}:{line}")
    return texts


class _Module:
    """A parsed file, with its functions, its classes, and its calls, each with the innermost function around it."""

    def __init__(self, file: Path) -> None:
        self.file, self.tree = file, ast.parse(file.read_text(encoding="utf-8"))
        self.functions = list[ast.FunctionDef]()
        self.classes = list[ast.ClassDef]()
        self.calls = list[tuple[ast.FunctionDef | None, ast.Call]]()
        waiting = deque[tuple[ast.FunctionDef | None, ast.AST]]([(None, self.tree)])
        while waiting:
            function, node = waiting.popleft()
            match node:
                case ast.Call():
                    self.calls.append((function, node))
                case ast.ClassDef():
                    self.classes.append(node)
                case ast.FunctionDef():
                    self.functions.append(node)
                    function = node
            waiting.extend((function, child) for child in ast.iter_child_nodes(node))


def translations_in(file: Path) -> dict[Text, tuple[str, ...]]:
    """The translations of a `.po` file, by text, without its header."""
    with file.open("rb") as source:
        catalog = read_po(source, abort_invalid=True)
    return {_forms(message.id): _forms(message.string) for message in catalog if message.id and not message.fuzzy}


def _forms(text: str | Iterable[str | None] | None) -> Text:
    return (text,) if isinstance(text, str) else tuple(form for form in text or () if form is not None)


def _all_calls(modules: list[_Module], calls: Calls) -> Calls:
    """`calls`, and all functions that pass a text on to one of them, directly or through another."""
    extended = calls
    for module in modules:
        extended = _handing_on(module, extended)
    return extended if extended == calls else _all_calls(modules, extended)


def _in_python(module: _Module, calls: Calls) -> Iterator[tuple[int, Text]]:
    for function, call in module.calls:
        places = calls.get(_name(call), ())
        scopes = (function, module.tree) if function else (module.tree,)
        texts = [_literals(scopes, argument, module.file) for argument in _arguments(call, places)]
        forms = (
            zip(*texts, strict=False)
            if len(places) == 2
            else ((text,) for forms_of_text in texts for text in forms_of_text)
        )
        yield from ((call.lineno, form) for form in forms)
        for keyword in call.keywords:
            if keyword.arg in _KEYWORDS.get(_name(call), ()):
                yield from ((call.lineno, (text,)) for text in _literals(scopes, keyword.value, module.file))
    for function in module.functions:
        yield from ((function.lineno, (text,)) for text in _default(function))
        tables = [node for node in ast.walk(function) if isinstance(node, ast.Dict) and function.name in _TABLES]
        values = [value for table in tables for value in table.values]
        yield from ((value.lineno, (text,)) for value in values for text in _literals((), value, module.file))


def _handing_on(module: _Module, calls: Calls) -> Calls:
    """`calls`, and the functions that pass one of their own parameters to one of them as its text."""
    extended = dict(calls)
    for function, call in module.calls:
        if function is None or function.name in calls:
            continue
        names = [argument.arg for argument in _positional(function) if argument.arg not in ("self", "cls")]
        passed = [
            argument.id for argument in _arguments(call, calls.get(_name(call), ())) if isinstance(argument, ast.Name)
        ]
        places = tuple(names.index(name) for name in passed if name in names)
        if places:
            extended[function.name] = places
    for node in module.classes:
        if node.name not in extended and _is_error(node):
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in calls:
                    extended[node.name] = calls[base.id]
    return extended


def _is_error(class_node: ast.ClassDef) -> bool:
    """Whether a class that inherits from an error takes its text at the same position."""
    initialisers = [part for part in class_node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    return all([name.arg for name in _positional(part)][1:3] == ["code", _KEYWORD] for part in initialisers)


def _positional(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args]


def _name(call: ast.Call) -> str:
    return (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )


def _arguments(call: ast.Call, places: tuple[int, ...]) -> list[ast.expr]:
    positional = [call.args[place] for place in places if place < len(call.args)]
    return positional or [keyword.value for keyword in call.keywords if places and keyword.arg == _KEYWORD]


def _literals(scopes: Scopes, argument: ast.expr, file: Path) -> list[str]:
    """The texts that an argument can be: a literal, one of two, or a name to which these scopes assign literals."""
    if isinstance(argument, ast.Constant):
        return [argument.value] if isinstance(argument.value, str) and argument.value else []
    if isinstance(argument, ast.IfExp):
        return [*_literals(scopes, argument.body, file), *_literals(scopes, argument.orelse, file)]
    if isinstance(argument, ast.Name) and scopes:
        values = next((assigned for scope in scopes if (assigned := _given_to(argument.id, scope))), [])
        return [text for value in values for text in _literals((), value, file)]
    if isinstance(argument, ast.JoinedStr | ast.BinOp):
        raise ValueError(f"{file}:{argument.lineno}: a text is put together at run time, nobody can translate it")
    return []  # found elsewhere, where it was written: ``problem.text``


def _given_to(name: str, scope: ast.AST) -> list[ast.expr]:
    assigned = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    return [
        node.value
        for node in assigned
        if any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]


def _default(function: ast.FunctionDef) -> Iterator[str]:
    """The default text of an error's constructor."""
    names = [argument.arg for argument in _positional(function)]
    for name, value in zip(reversed(names), reversed(function.args.defaults), strict=False):
        if name == _KEYWORD and function.name == "__init__" and isinstance(value, ast.Constant):
            yield from (text for text in (value.value,) if isinstance(text, str))
