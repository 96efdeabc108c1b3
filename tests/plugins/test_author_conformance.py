"""Each check finds its mistake: there is a plugin with just that mistake for each of them."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from commensal.base.errors import CommensalError
from commensal.storage.database import metadata
from commensal.testing.conformance import Nonconforming, Subject, checks, conforms
from commensal.testing.instances import Instances, Plan

from .bad_plugins import BAD, PRELUDE, REVISION, REVISION_TWICE

CHECKS = {check.name: check for check in checks()}


def test_there_is_a_bad_plugin_for_each_check() -> None:
    assert set(BAD) == set(CHECKS)


@pytest.mark.parametrize("name", BAD)
def test_a_check_finds_what_is_wrong(name: str, commensal_instances: Instances, tmp_path: Path) -> None:
    source, message = BAD[name]
    module = _write_plugin(tmp_path, source, REVISION_TWICE if name == "its_tables_come_and_go" else REVISION)
    beside = ("shop",) if name == "pages_of_others_stand_with_it" else ()
    plan = Plan(plugins=(*beside, "bad"), modules={"bad": module})
    subject = Subject(
        plugin="bad", module=module, plan=plan, instances=commensal_instances, folder=tmp_path / "instance"
    )
    try:
        with pytest.raises((Nonconforming, CommensalError, AssertionError), match=message):
            CHECKS[name].run(subject)
    finally:
        for table in [table for table in metadata.tables.values() if table.name.startswith("bad_")]:
            metadata.remove(table)


def test_a_plugin_exchanges_messages_by_the_public_names_of_the_federation(
    commensal_instances: Instances, tmp_path: Path
) -> None:
    def check(number: int, imports: str) -> None:
        module = _write_plugin(tmp_path / str(number), f"\n{imports}\n", REVISION)
        plan = Plan(plugins=("bad",), modules={"bad": module})
        CHECKS["it_imports_public_names_only"].run(
            Subject(plugin="bad", module=module, plan=plan, instances=commensal_instances, folder=tmp_path)
        )

    check(1, "from commensal_federation.messaging import MessageType, post")
    with pytest.raises(Nonconforming, match="which is another plugin"):
        check(2, "from commensal_federation.peers import Peer")


def test_a_plugin_is_put_to_the_checks_that_concern_it() -> None:
    names = _names(conforms("cash"))
    assert "a_payment_begins_once" in names
    assert "what_is_booked_is_given_back" not in names
    assert "a_payment_begins_once" not in _names(conforms("cash", without={"a_payment_begins_once": "for this test"}))


def test_a_plugin_that_is_not_installed_is_told_of_by_a_test_and_not_by_an_error(
    commensal_instances: Instances, tmp_path: Path
) -> None:
    test = conforms("missing")
    assert _names(test) == ["it_loads"]
    with pytest.raises(AssertionError, match="is not installed"):
        test(CHECKS["it_loads"], commensal_instances, tmp_path)


def test_a_plugin_that_cannot_be_imported_says_where_it_failed_however_often_it_is_tried(
    commensal_instances: Instances, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its table is declared before it fails; another attempt must not stumble over that."""
    source = "from sqlalchemy import Column, Table, Text\nfrom commensal import metadata\n"
    source += 'Table("torn_note", metadata, Column("id", Text, primary_key=True))\nint("two")\n'
    (tmp_path / "commensal_torn.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(name="torn", value="commensal_torn", group="commensal")
    monkeypatch.setattr("commensal.testing.conformance.plugin_entry_points", lambda: {"torn": point})
    for _ in range(2):
        with pytest.raises(Nonconforming, match=r"ValueError: invalid literal .* \(commensal_torn\.py, line 4\)"):
            conforms("torn")(CHECKS["it_loads"], commensal_instances, tmp_path)
    assert not [name for name in ("torn_note", "commensal_torn") if name in metadata.tables or name in sys.modules]


def test_a_check_that_does_not_exist_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="there are no checks it_flies"):
        conforms("cash", without={"it_flies": "it has no wings"})


def _names(test: object) -> list[str]:
    (mark,) = getattr(test, "pytestmark")  # noqa: B009 - pytest writes it there
    return [arg.name for arg in mark.args[1]]


def _write_plugin(folder: Path, source: str, revision: str) -> ModuleType:
    package = folder / "commensal_bad"
    (package / "migrations").mkdir(parents=True)
    (package / "migrations" / "bad_0001_first.py").write_text(revision, encoding="utf-8")
    header = "" if source.startswith("\nfrom") else f'"""Is bad."""\n{PRELUDE}'
    (package / "__init__.py").write_text(header + dedent(source), encoding="utf-8")
    search_path = [str(package)]
    spec = importlib.util.spec_from_file_location(
        "commensal_bad", package / "__init__.py", submodule_search_locations=search_path
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["commensal_bad"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["commensal_bad"]
    return module
