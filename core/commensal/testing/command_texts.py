"""Finds the help texts of commands: their docstrings, the ``help`` of their options, and the first line of a plugin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ..parts.terminal.shell import translation_key

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
