"""Exported files: no text that people wrote is a formula in them, or a header of the answer."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator

import pytest

from commensal.parts.formats import spreadsheets

from .filling import fill
from .settled import mark
from .trespass import Asker, Attempt, Village

pytestmark = pytest.mark.bundled

_NUMBER = re.compile(r"[+-]?[0-9][0-9., \u00a0\u202f]*%?")
_FILENAME = re.compile(r'(?:attachment|inline)(?:; filename="[\w. -]+")?')


@pytest.fixture
def spoiled(village: Village, put_back: Callable[[], None]) -> Iterator[Village]:
    """A village whose texts may be changed: they are put back."""
    yield village
    put_back()


def _files(village: Village) -> Iterator[tuple[str, str, bytes]]:
    """Yields every file that the victim's owner can have: its route, type and content."""
    owner = Asker(name="its owner", headers={"Cookie": f"session={village.victim.owner_session}"})
    for route in village.routes:
        if route.safe and route.scope not in ("operator", "public"):
            with village.instance.store.read() as tx:
                answer = village.ask(owner, Attempt(route, fill(tx, route, village.victim)))
            if "json" not in answer.headers.get("content-type", ""):
                yield str(route), answer.headers.get("content-type", ""), answer.content
    reports_url = f"/api/enterprises/{village.victim.id}/reports"
    for report in village.client.get(reports_url, headers=owner.headers).json():
        for name in ("csv", "xlsx"):
            path = f"{reports_url}/{report['id'].replace(':', '/')}"
            answer = village.client.get(path, params={"format": name}, headers=owner.headers)
            assert answer.status_code == 200, answer.text
            yield f"{report['id']} as {name}", answer.headers["content-type"], answer.content


def _formulas(village: Village) -> tuple[int, list[str]]:
    """Returns the number of tables, and the cells that a spreadsheet would compute."""
    tables, formulas = 0, []
    for name, media, content in _files(village):
        if "csv" in media:
            tables += 1
            rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
            cells = [cell for row in rows for cell in row]
            formulas += [
                f"{name}: {cell!r}"
                for cell in cells
                if cell.lstrip(" ")[:1] in set("=+-@\t\r＝＋－＠") and _is_text(cell)
            ]
        if "spreadsheet" in media:
            tables += 1
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                for sheet in (name for name in book.namelist() if name.startswith("xl/worksheets/")):
                    formulas += [f"{name}: a formula in {sheet}" for _ in re.findall(rb"<f[ >]", book.read(sheet))]
    return tables, formulas


def _is_text(cell: str) -> bool:
    return bool(cell) and not _NUMBER.fullmatch(cell)


@pytest.mark.parametrize("prefix", ["=1+", "\t-1+", "＠SUM("])
def test_no_text_is_a_formula_in_any_export(spoiled: Village, prefix: str) -> None:
    """OWASP, CSV injection; every CSV and XLSX file of routes and reports. For other prefixes of formulas see
    tests/core/test_report_formats.py.
    """
    mark(spoiled.instance.store, before=prefix)
    tables, formulas = _formulas(spoiled)
    assert formulas == []
    assert tables > 30


def test_an_export_that_guards_nothing_is_found(spoiled: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    mark(spoiled.instance.store, before="=1+")
    monkeypatch.setattr(spreadsheets, "_FORMULA", re.compile("never matches anything$^"))
    assert _formulas(spoiled)[1]


@pytest.mark.long  # seconds
def test_no_text_becomes_a_header_of_an_answer(spoiled: Village) -> None:
    mark(spoiled.instance.store, before='"x\r\nX-Evil: yes\r\n\r\n')
    owner = Asker(name="its owner", headers={"Cookie": f"session={spoiled.victim.owner_session}"})
    named_files = 0
    for route in (route for route in spoiled.routes if route.safe):
        with spoiled.instance.store.read() as tx:
            values = fill(tx, route, spoiled.victim) | (
                {"slug": spoiled.victim.id} if "slug" in route.parameters else {}
            )
        answer = spoiled.ask(owner, Attempt(route, values))
        assert "x-evil" not in answer.headers, route
        disposition = answer.headers.get("content-disposition", "")
        assert not disposition or _FILENAME.fullmatch(disposition), (route, disposition)
        named_files += bool(disposition)
    assert named_files >= 5
