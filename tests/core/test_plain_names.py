"""Names say what a value is. These words name anything, and so nothing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMPTY = {"one", "said", "found", "kept", "asked", "wanted", "told", "given", "heap", "heaps"}


def empty_names(file: Path) -> Iterator[str]:
    """Variables and parameters of a file that are named by an empty word, with their lines.

    Fields of classes are left out: some bear the names of columns, which a release has.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    fields = {id(node.target) for each in classes for node in each.body if isinstance(node, ast.AnnAssign)}
    for node in (node for node in ast.walk(tree) if id(node) not in fields):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) if name in EMPTY:
                yield f"{node.lineno}: {name}"


# Names that modules and rooms had before they were called by the field's words; some had six meanings.
RETIRED = {
    "admitting", "answering", "asking", "asking_state", "authoring", "buying", "checking", "collector", "coming",
    "crowds", "failing", "finding", "given", "guessing", "heaps", "holding", "holding_back", "keeping", "known",
    "leaving", "line", "listed", "minding", "noticing", "said", "supplying", "telling", "told", "wanting", "who",
    "whose", "windows",
}  # fmt: skip


def names_of_modules(folder: Path) -> dict[str, Path]:
    """The modules and packages below a folder by their names; plugins' templates and revisions left out."""
    files = [file for file in folder.rglob("*.py") if not {"migrations", "plugin_template"} & set(file.parts)]
    return {file.parent.name if file.name == "__init__.py" else file.stem: file for file in files}


def classes_by_name(folders: Iterable[Path]) -> dict[str, set[str]]:
    """The modules that define a class of each name, below these folders; plugins' templates and revisions left out."""
    modules = defaultdict[str, set[str]](set)
    for folder in folders:
        for file in folder.rglob("*.py"):
            if not {"migrations", "plugin_template"} & set(file.parts):
                for node in ast.parse(file.read_text(encoding="utf-8")).body:
                    if isinstance(node, ast.ClassDef):
                        modules[node.name].add(str(file.relative_to(folder)))
    return modules


# Names of several classes. This list only gets shorter.
OF_SEVERAL_CLASSES = {
    # What a plugin is set to, or offers as others of its kind do: one meaning, in each plugin.
    "Settings", "InstanceSettings", "Slot", "SlotChanges", "SlotFields", "NewSlot",
    # Bodies of the API: their names are those of schemas in the API document, which do not change.
    "Address", "Choice", "Closing", "Confirmation", "Event", "Grant", "Hook", "Identity", "Invitation",
    "LineAnswer", "NewSession", "Received", "StatementLine", "Zone",
}  # fmt: skip


@pytest.mark.parametrize("folder", ["core", "federation", "plugins"])
def test_no_module_has_a_name_that_was_retired(folder: str) -> None:
    modules = names_of_modules(ROOT / folder)
    assert {name: modules[name] for name in RETIRED & set(modules)} == {}


def test_a_retired_name_of_a_module_or_a_package_is_seen(tmp_path: Path) -> None:
    (tmp_path / "telling").mkdir()
    for file in ("telling/__init__.py", "heaps.py", "lots.py"):
        (tmp_path / file).touch()
    assert RETIRED & set(names_of_modules(tmp_path)) == {"telling", "heaps"}


def test_a_class_has_a_name_of_its_own() -> None:
    modules = classes_by_name([ROOT / folder for folder in ("core", "federation", "plugins")])
    assert {name: files for name, files in modules.items() if len(files) > 1 and name not in OF_SEVERAL_CLASSES} == {}
    assert {name for name in OF_SEVERAL_CLASSES if len(modules[name]) < 2} == set()


def test_two_classes_of_one_name_are_found(tmp_path: Path) -> None:
    for name in ("stall", "van"):
        (tmp_path / f"{name}.py").write_text("class Place:\n    pass\n", encoding="utf-8")
    assert classes_by_name([tmp_path]) == {"Place": {"stall.py", "van.py"}}


# What a template or a script binds: in a loop, by an assignment, as a macro or a function.
BINDINGS = re.compile(
    r"\{%-? *(?:for|set) ([\w, ]+?) *(?:in|=) |\{%-? *macro \w+\(([^)]*)\)|\b(?:const|let|function) (\w+)"
)


def empty_names_on_pages(text: str) -> list[str]:
    bound = (
        name for match in BINDINGS.finditer(text) for name in re.findall(r"\w+", " ".join(filter(None, match.groups())))
    )
    return [name for name in bound if name in EMPTY]


def test_no_template_or_script_names_a_value_by_such_a_word() -> None:
    files = [file for folder in ("core", "federation", "plugins") for file in (ROOT / folder).rglob("*.*")]
    pages = [
        file for file in files if file.suffix in (".html", ".js", ".xml", ".txt") and "node_modules" not in file.parts
    ]
    names = {str(file.relative_to(ROOT)): empty_names_on_pages(file.read_text(encoding="utf-8")) for file in pages}
    assert {file: words for file, words in names.items() if words} == {}


@pytest.mark.parametrize("folder", ["core", "federation", "plugins", "tests/core"])
def test_no_variable_is_named_by_a_word_that_says_nothing(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*.py") if "migrations" not in file.parts]
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in empty_names(file)] == []


def test_such_a_name_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def f(said):\n    return [one for one in said if (row := one)]\n", encoding="utf-8")
    assert list(empty_names(file)) == ["1: said", "2: one"]


def test_such_a_name_in_a_template_or_script_is_found() -> None:
    page = "{% for said in texts %}{% set found = 1 %}{% macro show(told, name) %} <script>const kept = 1; let one;"
    assert empty_names_on_pages(page) == ["said", "found", "told", "kept", "one"]
