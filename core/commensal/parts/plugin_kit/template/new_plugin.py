"""Writes a new plugin into a folder: a package that installs, does something small, and has tests."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from string import Template

from ....base.entry_points import plugin_entry_points
from ....hooks.loading import ID
from ....storage.database.revisions import core_tables
from ...terminal.shell import spoken

KINDS = ("payment", "shipping", "price", "report", "page", "event", "field", "table", "message", "endpoint")
# Further files of a kind within its package, each with the blank from which it is made.
_FURTHER: Mapping[str, Mapping[str, str]] = {
    "page": {"templates/$id/sales.html": "page.html"},
    "table": {"templates/$id/notes.html": "table.html", "migrations/${id}_0001_first.py": "table_revision.py"},
    "endpoint": {"migrations/${id}_0001_first.py": "endpoint_revision.py"},
}
_BLANKS = Path(__file__).with_name("blanks")
_HEADER = """\
# French for the plugin $id. The file is read as it is; nothing is compiled.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

"""
# Ids that would be ambiguous: a key of instance.toml beside the tables of plugins, and names of packages.
_RESERVED = frozenset({"enabled", "commensal", "testing", "plugin", "plugins"})


def new_plugin(plugin: str, kind: str, folder: Path, *, taken: Collection[str] = ()) -> list[Path]:
    """Writes the plugin into `folder`, which must be empty or missing, and returns the relative paths of its files.

    `taken` are further ids that it cannot have. Raises `ValueError` with a text for the author, before anything is
    written.
    """
    _refuse_id(plugin, taken)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(spoken("{folder} exists already, and nothing is ever overwritten.", folder=folder))
    files = dict(_files(plugin, kind))
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    return list(files)


def _refuse_id(plugin: str, taken: Collection[str]) -> None:
    """Raises `ValueError` for an id that cannot be part of addresses, tables, jobs, a command and a package."""
    suggestion = re.sub("[^a-z0-9]", "_", plugin.lower()).strip("_")
    if not ID.fullmatch(plugin):
        text = "{plugin!r} is not an id: ids have small letters, digits and underscores, at most 40."
        problem = spoken(text, plugin=plugin)
        raise ValueError(f"{problem} {_suggest(suggestion)}" if ID.fullmatch(suggestion) else problem)
    if keyword.iskeyword(plugin) or plugin in _RESERVED or plugin in taken:
        raise ValueError(spoken("{plugin!r} is reserved; choose another id.", plugin=plugin))
    installed = plugin_entry_points()
    if plugin in installed or find_spec(f"commensal_{plugin}") is not None:
        raise ValueError(spoken("A plugin {plugin!r} is installed already; choose another id.", plugin=plugin))
    conflicting_tables = [name for name in (*installed, *core_tables()) if name.startswith(f"{plugin}_")]
    for other in (*conflicting_tables, *(name for name in installed if plugin.startswith(f"{name}_"))):
        text = "The tables of {plugin!r} and of {other!r} could not be told apart; choose another id."
        raise ValueError(spoken(text, plugin=plugin, other=other))


def _files(plugin: str, kind: str) -> Iterator[tuple[Path, str]]:
    if kind not in KINDS:
        problem = spoken("{kind!r} is not a kind of plugin; there are {known}.", kind=kind, known=", ".join(KINDS))
        close = get_close_matches(kind, KINDS, n=1)
        raise ValueError(f"{problem} {_suggest(close[0])}" if close else problem)
    package = f"commensal_{plugin}"
    words = {
        "id": plugin,
        "package": package,
        "slug": plugin.replace("_", "-"),
        "name": plugin.replace("_", " ").capitalize(),
    }
    module = _fill(f"{kind}.py", words)
    words["does"] = (ast.get_docstring(ast.parse(module)) or "").partition("\n")[0]
    inside = Path(package)
    yield Path("pyproject.toml"), _fill("pyproject.toml", words)
    yield Path("README.md"), _fill("README.md", words)
    yield Path(".gitignore"), _fill("gitignore", words)
    yield inside / "__init__.py", module
    for path, blank in _FURTHER.get(kind, {}).items():
        yield inside / Template(path).substitute(words), _fill(blank, words)
    french = Template(_HEADER).substitute(words) + _fill(f"{kind}.po", words)
    yield inside / "locale" / "fr" / "LC_MESSAGES" / f"{plugin}.po", french
    yield Path("tests") / f"test_{plugin}.py", _fill(f"{kind}_test.py", words)


def _fill(blank: str, words: Mapping[str, str]) -> str:
    return Template((_BLANKS / f"{blank}.txt").read_text(encoding="utf-8")).substitute(words)


def _suggest(meant: str) -> str:
    return spoken("Did you mean {meant}?", meant=meant)
