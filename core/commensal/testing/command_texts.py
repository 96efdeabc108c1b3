"""Finds what help says of commands: their docstrings, the ``help`` of their options, and the first line of a plugin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ..base.languages.shell import translation_key

_HELPED = ("Option", "Argument", "Typer")  # of typer, each with a `help`


def help_in(file: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The texts of help in a module, each with its line. Raises `ValueError` for one that is put together at run time:
    nobody could translate it."""
    return ((line, text) for line, text in _all_help(file, tree) if text)


def _all_help(file: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    made = set(_made_by_call(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in _HELPED:
            yield from ((one.lineno, _text(file, one.value)) for one in node.keywords if one.arg == "help")
        elif isinstance(node, ast.FunctionDef) and (node.name in made or any(map(_is_command, node.decorator_list))):
            yield node.lineno, translation_key(ast.get_docstring(node) or "")
    if file.name == "__init__.py" and any(_brings_commands(node) for node in tree.body):
        yield 1, (ast.get_docstring(tree) or "").partition("\n")[0]


def _is_command(called: ast.expr) -> bool:
    return isinstance(called, ast.Call) and _last_name(called.func) in ("command", "callback")


def _made_by_call(tree: ast.AST) -> Iterator[str]:
    """Names of functions that become commands without a decorator: ``app.command("list")(list_command)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_command(node.func):
            yield from (one.id for one in node.args if isinstance(one, ast.Name))


def _brings_commands(node: ast.stmt) -> bool:
    """Whether it is what a plugin has its hook ``commands`` by."""
    if isinstance(node, ast.ImportFrom):
        return any(one.name == "commands" for one in node.names)
    return isinstance(node, ast.FunctionDef) and node.name == "commands"


def _last_name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _text(file: Path, given: ast.expr) -> str:
    if isinstance(given, ast.JoinedStr | ast.BinOp):
        raise ValueError(f"{file}:{given.lineno}: help is put together at run time, nobody can translate it")
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""
