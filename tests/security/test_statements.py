"""What our own source may not contain: statements, commands, patterns and templates that are composed from data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [path for root in ("core", "plugins", "federation") for path in sorted((ROOT / root).rglob("*.py"))]
Finder = Callable[[ast.Call], bool]

# Where statements contain names of our own tables and databases: none of them comes from a request.
STATEMENTS = {
    "core/commensal/parts/backups/manifest.py",
    "core/commensal/parts/backups/databases.py",
    "core/commensal/parts/backups/export.py",
    "core/commensal/storage/database/presence.py",
}
# Where a pattern or a template is composed from constants and files of the package.
PATTERNS = {
    "core/commensal/parts/formats/spreadsheets.py",
    "core/commensal/parts/product_lists/read.py",
    "federation/commensal_federation/peering/pairing/pairings.py",
    "federation/commensal_federation/platforms/containers.py",
    "federation/commensal_federation/signing/http_signature.py",
}
TEMPLATES = {"core/commensal/parts/plugin_kit/template/new_plugin.py"}


def _name(call: ast.Call) -> str:
    """Returns the called name as it is written: ``subprocess.run``."""
    return ast.unparse(call.func)


def _is_composed(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr | ast.BinOp) or (
        isinstance(value, ast.Call) and _name(value).endswith((".format", ".join", ".replace"))
    )


def _statement(call: ast.Call) -> bool:
    name = _name(call).rpartition(".")[2]
    return name in ("text", "exec_driver_sql", "executescript") and bool(call.args) and _is_composed(call.args[0])


def _shell(call: ast.Call) -> bool:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    shell = keywords.get("shell")
    uses_shell = shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False)
    return uses_shell or _name(call) in ("os.system", "os.popen", "subprocess.getoutput", "commands.getoutput")


def _pattern(call: ast.Call) -> bool:
    name = _name(call)
    calls = ("compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer")
    return name.startswith("re.") and name[3:] in calls and bool(call.args) and _is_composed(call.args[0])


def _evaluation(call: ast.Call) -> bool:
    return _name(call) in ("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec")


def _unpickling(call: ast.Call) -> bool:
    name = _name(call)
    loads = name.startswith(("pickle.", "marshal.", "shelve.", "dill.", "jsonpickle.", "yaml."))
    return loads or name in ("torch.load", "joblib.load", "pickle_load")


def _template(call: ast.Call) -> bool:
    is_template = _name(call).rpartition(".")[2] in ("from_string", "Template") and bool(call.args)
    return is_template and not isinstance(call.args[0], ast.Constant)


@cache
def _calls(source: str) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def _found(finder: Finder, source: str) -> Iterator[int]:
    return (call.lineno for call in _calls(source) if finder(call))


def _anywhere(finder: Finder) -> dict[str, list[int]]:
    lines_by_file = {
        str(path.relative_to(ROOT)): list(_found(finder, path.read_text(encoding="utf-8"))) for path in SOURCES
    }
    return {file: lines for file, lines in lines_by_file.items() if lines}


def test_no_statement_is_put_together_from_words() -> None:
    paths = {path for path in _anywhere(_statement) if "/migrations/" not in path and "/testing/" not in path}
    assert paths - STATEMENTS == set()


def test_nothing_goes_through_a_shell() -> None:
    assert _anywhere(_shell) == {}


def test_no_pattern_is_put_together_from_data() -> None:
    assert set(_anywhere(_pattern)) - PATTERNS == set()


def test_nothing_is_evaluated() -> None:
    assert _anywhere(_evaluation) == {}


def test_nothing_is_unpickled() -> None:
    assert _anywhere(_unpickling) == {}


def test_no_template_is_made_of_data() -> None:
    assert set(_anywhere(_template)) - TEMPLATES == set()


@pytest.mark.parametrize(
    ("finder", "source"),
    [
        (_statement, "tx.execute(text(f'SELECT {name}'))"),
        (_statement, "connection.exec_driver_sql('SELECT ' + name)"),
        (_shell, "subprocess.run('ls', shell=True)"),
        (_shell, "os.system('ls')"),
        (_pattern, "re.match(f'^{word}$', text)"),
        (_evaluation, "eval(text)"),
        (_unpickling, "pickle.loads(body)"),
        (_template, "environment.from_string(text)"),
    ],
)
def test_a_source_that_says_so_is_found(finder: Finder, source: str) -> None:
    assert list(_found(finder, source)) == [1]
    assert len(SOURCES) > 200
