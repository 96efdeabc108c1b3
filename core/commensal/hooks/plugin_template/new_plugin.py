"""Writes a new plugin into a folder of its own: a package that installs, does something small, and tests it."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from string import Template

from ...base.languages.shell import spoken
from ...storage.database.core_tables import core_tables
from ..loading import ID, found_plugins

KINDS = ("payment", "shipping", "price", "report", "page")
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
# Names that would be misread: the key of instance.toml beside the tables of plugins, and what packages are called.
_RESERVED = frozenset({"enabled", "commensal", "testing", "plugin", "plugins"})


def new_plugin(plugin: str, kind: str, folder: Path, *, taken: Collection[str] = ()) -> list[Path]:
    """Writes the plugin into `folder`, which must be empty or not exist yet, and returns its files below it.

    `taken` are further ids that it cannot have. Raises `ValueError` with words for its author; then nothing was
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
    """The id becomes part of addresses, of names of tables and jobs, of a command and of a package."""
    fitting = "".join(one if one.isalnum() and one.isascii() else "_" for one in plugin.lower()).strip("_")
    if not ID.fullmatch(plugin):
        said = spoken("{plugin!r} is no id: one has small letters, digits and underscores, at most 40.", plugin=plugin)
        raise ValueError(f"{said} {_meant(fitting)}" if ID.fullmatch(fitting) else said)
    if keyword.iskeyword(plugin) or plugin in _RESERVED or plugin in taken:
        raise ValueError(spoken("{plugin!r} is reserved; choose another id.", plugin=plugin))
    installed = found_plugins()
    if plugin in installed or find_spec(f"commensal_{plugin}") is not None:
        raise ValueError(spoken("A plugin {plugin!r} is installed already; choose another id.", plugin=plugin))
    owned = [name for name in (*installed, *core_tables()) if name.startswith(f"{plugin}_")]
    for other in (*owned, *(name for name in installed if plugin.startswith(f"{name}_"))):
        said = "The tables of {plugin!r} and of {other!r} could not be told apart; choose another id."
        raise ValueError(spoken(said, plugin=plugin, other=other))


def _files(plugin: str, kind: str) -> Iterator[tuple[Path, str]]:
    if kind not in KINDS:
        said = spoken("{kind!r} is no kind of plugin; known are {known}.", kind=kind, known=", ".join(KINDS))
        close = get_close_matches(kind, KINDS, n=1)
        raise ValueError(f"{said} {_meant(close[0])}" if close else said)
    package = f"commensal_{plugin}"
    words = {
        "id": plugin,
        "package": package,
        "slug": plugin.replace("_", "-"),
        "name": plugin.replace("_", " ").capitalize(),
    }
    module = _filled(f"{kind}.py", words)
    words["does"] = (ast.get_docstring(ast.parse(module)) or "").partition("\n")[0]
    inside = Path(package)
    yield Path("pyproject.toml"), _filled("pyproject.toml", words)
    yield Path("README.md"), _filled("README.md", words)
    yield Path(".gitignore"), _filled("gitignore", words)
    yield inside / "__init__.py", module
    if kind == "page":
        yield inside / "templates" / plugin / "sales.html", _filled("page.html", words)
    french = Template(_HEADER).substitute(words) + _filled(f"{kind}.po", words)
    yield inside / "locale" / "fr" / "LC_MESSAGES" / f"{plugin}.po", french
    yield Path("tests") / f"test_{plugin}.py", _filled(f"{kind}_test.py", words)


def _filled(blank: str, words: Mapping[str, str]) -> str:
    return Template((_BLANKS / f"{blank}.txt").read_text(encoding="utf-8")).substitute(words)


def _meant(meant: str) -> str:
    return spoken("Did you mean {meant}?", meant=meant)
