"""Every page of the office and the shop is given each name that its template asks for, on branches no test opens, too.

The templates refuse names that they do not know (`StrictUndefined`), so a missing one is an error 500 on that branch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2
import pytest
from jinja2 import meta, nodes

PLUGINS = Path(__file__).parents[2] / "plugins"
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(list(PLUGINS.glob("commensal_*/templates"))),
    extensions=["jinja2.ext.i18n"],
    autoescape=True,
)
RENDERS = {"office": "commensal_office/frame/render.py", "shop": "commensal_shop/showing.py"}
FROM_THE_CORE = frozenset(
    (
        "asset",
        "day",
        "direction",
        "instance_name",
        "language",
        "languages",
        "menu",
        "mistakes",
        "moment",
        "money",
        "quantity",
    )
) | {"short_moment", "visit"}
OF_ONE_MACRO = {"line_names"}  # the shop's list of mistakes in a basket asks for it, not the other macros beside it


@cache
def names_asked_for(template: str) -> frozenset[str]:
    """The names that a template, and what it extends or imports, takes from its page; not those it tests or sets."""
    source = TEMPLATES.loader.get_source(TEMPLATES, template)[0] if TEMPLATES.loader else ""
    tree = TEMPLATES.parse(source)
    may_lack: set[str] = set()
    for node in tree.find_all((nodes.Test, nodes.Filter)):
        if node.name in ("defined", "default") and isinstance(node.node, nodes.Name):
            may_lack.add(node.node.name)
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    own |= {each.target for each in tree.find_all(nodes.Import)} | {each.name for each in tree.find_all(nodes.Macro)}
    asked = meta.find_undeclared_variables(tree) - may_lack - own
    for other in meta.find_referenced_templates(tree):
        asked |= names_asked_for(other or "")
    return frozenset(asked)


def calls_of(plugin: str, function: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a function in a plugin, each with its place."""
    for file in sorted((PLUGINS / f"commensal_{plugin}").rglob("*.py")):
        code = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(code)) if f"{function}(" in code else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                yield f"{file.name}:{node.lineno}", node


def names_given_everywhere(plugin: str) -> set[str]:
    """The names that the module which renders a plugin's pages puts into each of them."""
    code = ast.parse((PLUGINS / RENDERS[plugin]).read_text(encoding="utf-8"))
    (render,) = (node for node in ast.walk(code) if isinstance(node, ast.FunctionDef) and node.name == "_render")
    keys: list[ast.expr | None] = []
    for node in ast.walk(render):
        keys += node.keys if isinstance(node, ast.Dict) else [node.slice] if isinstance(node, ast.Subscript) else []
    return {text for key in keys if (text := text_of(key))} | FROM_THE_CORE


def text_of(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize("plugin", ["office", "shop"])
def test_a_page_gives_its_template_each_name_that_it_asks_for(plugin: str) -> None:
    everywhere = names_given_everywhere(plugin) | OF_ONE_MACRO
    missing, checked = {}, 0
    for place, call in calls_of(plugin, "show"):
        templates = [text for each in call.args if (text := text_of(each))]
        is_open = any(keyword.arg is None for keyword in call.keywords)  # **context: what it holds is not known here
        if not templates or is_open:
            continue
        given = everywhere | {keyword.arg for keyword in call.keywords if keyword.arg}
        checked += 1
        if unknown := names_asked_for(f"{plugin}/{templates[0]}.html") - given:
            missing[f"{place} {templates[0]}"] = sorted(unknown)
    assert missing == {}
    assert checked > 30
