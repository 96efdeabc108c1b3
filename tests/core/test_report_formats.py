"""A report reads back the same in every format: numbers as numbers, texts as texts and never as anything else."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from commensal.parts.formats.spreadsheets import harmless
from commensal.parts.reports import run
from commensal.parts.reports.charts import draw
from commensal.parts.reports.formats import FORMATS, find_format, xlsx
from commensal.parts.reports.formats import pdf as pdf_format
from commensal.parts.reports.formats.html import MAX_UNBROKEN_ROWS
from commensal.parts.reports.formats.pdf import NoTypesetter, TooLong
from commensal.parts.reports.labels import label_parameters
from commensal.parts.reports.values import Chart, Column, Line, Printout, Quantity, Query, Report, Series

NOON = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)  # in Paris
NASTY = '=cmd|"/C calc"!A0 </td><script>alert(1)</script> #let x = 1; ; "é"'
COLUMNS = [
    Column(name="who", label="Who"),
    Column(name="pieces", label="Pieces", kind="whole", summed=True),
    Column(name="amount", label="Amount", kind="money", summed=True),
    Column(name="size", label="Size", kind="quantity", summed=True),
    Column(name="rate", label="Rate", kind="percent"),
    Column(name="day", label="Day", kind="date"),
    Column(name="at", label="At", kind="moment"),
    Column(name="done", label="", kind="tick"),
]
LINES: list[Line] = [
    ["Ferme A", 3, 1250, Quantity(Decimal("1.5"), "Kilogram"), Decimal("5.5"), date(2026, 6, 4), NOON, None],
    ["Ferme A", -1, -5, Quantity(Decimal("0.5"), "Kilogram"), Decimal(20), None, None, None],
    [NASTY, 2, 100000, Quantity(Decimal(2), "Piece"), None, date(2026, 6, 5), NOON, None],
]


def a_report(lines: Sequence[Line] = (), **kwargs: Any) -> Report:
    fields = {"id": "tried", "label": "Tried", "description": "", "columns": COLUMNS, "grouped_by": ["who"], **kwargs}
    return Report(rows=lambda query: lines, **fields)


def a_printout(report: Report, *, language: str = "fr", **kwargs: Any) -> Printout:
    nothing: Any = None  # these reports ask the database nothing
    query = Query(
        tx=nothing,
        enterprise_id="shop",
        enterprise_name="Les <Paniers>",
        currency="EUR",
        timezone="Europe/Paris",
        language=language,
        given=kwargs,
    )
    sums = run.add_sums(report, report.rows(query))
    return Printout(report=report, query=query, rows=sums, subtitles=["Juin"], printed_at=NOON)


def write_report(name: str, report: Report, **kwargs: Any) -> bytes:
    return b"".join(find_format(name).write(a_printout(report, **kwargs)))


class Page(HTMLParser):
    """Parses a page: the cells of each row, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines, self.tags = list[list[str]](), list[str]()
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.lines[-1][-1] += data


def test_groups_have_headings_subtotals_and_one_total() -> None:
    report_rows = list(run.add_sums(a_report(LINES), LINES))
    assert [(row.kind, row.level) for row in report_rows] == [
        ("group", 0),
        ("line", 1),
        ("line", 1),
        ("subtotal", 0),
        ("group", 0),
        ("line", 1),
        ("total", 0),
    ]
    assert report_rows[3].cells[:4] == ["Ferme A", 2, 1245, Quantity(Decimal("2.0"), "Kilogram")]
    assert report_rows[6].cells[:4] == [None, 4, 101245, None], "kilograms and pieces have no sum"


def test_inner_groups_end_before_outer_ones() -> None:
    columns = [Column(name=name, label=name) for name in "ab"] + [
        Column(name="n", label="n", kind="whole", summed=True)
    ]
    report = a_report(columns=columns, grouped_by=["a", "b"])
    lines = [("x", "p", 1), ("x", "p", 2), ("x", "q", 4), ("y", "q", 8)]
    report_rows = [(row.kind, row.level, row.cells[-1]) for row in run.add_sums(report, lines)]
    assert report_rows == [
        ("group", 0, "x"),
        ("group", 1, "p"),
        ("line", 2, 1),
        ("line", 2, 2),
        ("subtotal", 1, 3),
        ("group", 1, "q"),
        ("line", 2, 4),
        ("subtotal", 0, 7),
        ("group", 0, "y"),
        ("group", 1, "q"),
        ("line", 2, 8),
        ("total", 0, 15),
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-(10**12), 10**12))))
def test_the_total_is_the_sum_of_all_lines_whatever_the_groups(pairs: list[tuple[str, int]]) -> None:
    columns = [Column(name="who", label=""), Column(name="n", label="", kind="money", summed=True)]
    report_rows = list(run.add_sums(a_report(columns=columns), pairs))
    assert [row.cells for row in report_rows if row.kind == "line"] == pairs
    totals = [row.cells[1] for row in report_rows if row.kind == "total"]
    assert totals == ([sum(n for _, n in pairs)] if pairs else [])


def test_csv_in_french_has_semicolons_commas_and_a_mark() -> None:
    content = write_report("csv", a_report(LINES))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 6
    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert table[0] == ["Who", "Pieces", "Amount (EUR)", "Size", "Size (unité)", "Rate (%)", "Day", "At"]
    assert table[1] == ["Ferme A", "3", "12,50", "1,5", "kg", "5,5", "2026-06-04", "2026-06-04 12:00"]
    assert table[2] == ["Ferme A", "-1", "-0,05", "0,5", "kg", "20", "", ""]
    assert table[3][:4] == ["Ferme A", "2", "12,45", "2,0"]
    assert table[4][0] == "'" + NASTY, "a formula is none any more"
    assert table[5][:3] == ["Total", "4", "1012,45"]


def test_csv_in_english_has_commas_and_points() -> None:
    table = list(csv.reader(io.StringIO(write_report("csv", a_report(LINES), language="en").decode("utf-8-sig"))))
    assert table[1][:4] == ["Ferme A", "3", "12.50", "1.5"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+33 6", "-1", "@x", "\t=1", " =1", "\r=1", "＝1+1", "＋1", "－1", "＠x", "　＝1"]
)
def test_what_a_spreadsheet_would_reckon_gets_an_apostrophe(text: str) -> None:
    assert harmless(text).startswith("'")


@given(st.text())
def test_no_text_can_be_a_formula_or_hold_what_no_cell_may(text: str) -> None:
    text_in_cell = harmless(text)
    assert not re.match(r"\s*[=+\-@]", unicodedata.normalize("NFKC", text_in_cell))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text_in_cell)


def test_xlsx_has_numbers_days_and_moments() -> None:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(write_report("xlsx", a_report(LINES))))
    table = workbook.get_sheet_by_index(0).to_python()
    assert table[1] == ["Ferme A", 3, 12.5, 1.5, "kg", 5.5, date(2026, 6, 4), datetime(2026, 6, 4, 12, 0)]  # noqa: DTZ001
    assert table[4][0] == NASTY, "a text is a text there, whatever it begins with"
    assert table[5][:3] == ["Total", 4, 1012.45]


def test_xlsx_spells_what_xml_cannot_hold_as_its_standard_says() -> None:
    special = " \x01\x1f\ufffe<&> _x0041_ _x_ \n"
    columns = [Column(name=f"c{number}", label="L") for number in range(28)]
    content = write_report("xlsx", a_report([[special] * 28], columns=columns, grouped_by=[]))
    sheet = ElementTree.fromstring(ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml"))  # noqa: S314 - ours
    namespace = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    cells = sheet.findall(f".//{namespace}row[@r='2']/{namespace}c")
    assert [cell.get("r") for cell in cells][-3:] == ["Z2", "AA2", "AB2"]
    escaped = "".join(cells[0].itertext())
    assert re.sub(r"_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), escaped) == special


def test_what_a_sheet_has_no_room_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 6)  # headers, three lines, a subtotal, and the total
    write_report("xlsx", a_report(LINES))
    monkeypatch.setattr(xlsx, "MAX_ROWS", 5)
    with pytest.raises(xlsx.TooManyRows, match="5"):
        write_report("xlsx", a_report(LINES))


def test_json_lines_have_minor_units_and_utc() -> None:
    lines = [json.loads(line) for line in write_report("jsonl", a_report(LINES)).splitlines()]
    assert lines[0]["amount"] == 1250
    assert lines[0]["size"] == {"value": "1.5", "unit": "Kilogram"}
    assert lines[0]["at"] == "2026-06-04T10:00:00Z"
    assert [line.get("sum") for line in lines] == [None, None, "subtotal", None, "total"]


def test_html_shows_every_line_and_nothing_that_people_wrote_is_markup() -> None:
    chart = Chart(title="<b>", labels=["</svg><script>"], series=[Series("s", [5])], money=True)
    page = Page(write_report("html", a_report(LINES, charts=lambda query: [chart])).decode())
    assert "script" not in page.tags
    assert page.tags.count("svg") == 1
    texts = [[cell.replace("\xa0", " ").replace("\u202f", " ") for cell in line] for line in page.lines]
    assert texts[0] == ["Pieces", "Amount", "Size", "Rate", "Day", "At", ""]
    assert texts[1] == ["Ferme A"]
    assert texts[2] == ["3", "12,50 €", "1,5 kg", "5,5 %", "04/06/2026", "04/06/2026 12:00", ""]
    assert [NASTY] in texts
    assert texts[-1][:2] == ["4", "1 012,45 €"]


def test_html_takes_nothing_from_elsewhere_and_its_answer_says_so() -> None:
    html = write_report("html", a_report(LINES)).decode()
    assert not re.search(r"(src|href)=|url\(|@import", html)
    policy = dict(find_format("html").headers)["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_a_page_for_each_group_is_a_table_for_each() -> None:
    assert Page(write_report("html", a_report(LINES)).decode()).tags.count("table") == 1
    assert Page(write_report("html", a_report(LINES), pages=True).decode()).tags.count("table") == 2


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_lines_is_a_file_all_the_same(name: str) -> None:
    assert write_report(name, a_report()) or name == "jsonl"


def test_pdf_says_what_the_report_says() -> None:
    chart = Chart(title="Ventes", labels=["Juin"], series=[Series("s", [5])], money=True)
    reader = PdfReader(io.BytesIO(write_report("pdf", a_report(LINES, charts=lambda query: [chart]))))
    text = " ".join(page.extract_text() for page in reader.pages)
    without_spaces = "".join(text.split())
    assert reader.metadata is not None
    assert reader.metadata.title == "Tried"
    for passage in ("Les<Paniers>", "FermeA", "12,50€", "1,5kg", "1/1", "".join(NASTY.split())):
        assert passage in without_spaces, passage


def test_a_telephone_number_stands_in_one_line_of_a_pdf() -> None:
    columns = [Column(name=name, label=name) for name in ("number", "customer", "phone", "pieces", "where", "note")]
    lines = [("112", "Guillaume Chevalier", "06 39 98 68 31", "9", "Cour de l’ancienne école", "Passe vers 18 h." * 5)]
    pages = PdfReader(io.BytesIO(write_report("pdf", a_report(lines, columns=columns, grouped_by=[])))).pages
    assert "06 39 98 68 31" in pages[0].extract_text()


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30))
def test_no_text_breaks_the_pdf(text: str) -> None:
    report = a_report([[text or "x", 1, 1, None, None, None, None, None]])
    assert write_report("pdf", report).startswith(b"%PDF")


def test_a_pdf_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(NoTypesetter, match=r"pip install 'commensal\[pdf\]'"):
        write_report("pdf", a_report(LINES))


def test_a_pdf_of_very_many_rows_is_refused() -> None:
    with pytest.raises(TooLong, match=str(pdf_format.MAX_ROWS)):
        write_report("pdf", a_report([LINES[0]] * (pdf_format.MAX_ROWS + 1)))


@pytest.mark.parametrize(("sheet", "each"), [("3x8", 24), ("2x7", 14), ("2x4", 8)])
def test_labels_fill_sheets_and_leave_out_those_that_are_gone(sheet: str, each: int) -> None:
    lines: list[Line] = [[f"{number} · Ada", number] for number in range(each)]
    report = a_report(lines, columns=COLUMNS[:2], grouped_by=(), layout="labels", parameters=label_parameters("fr"))
    html = write_report("html", report, sheet=sheet, skip=0).decode()
    assert html.count('<main class="sheet') == 1
    assert write_report("html", report, sheet=sheet, skip=3).decode().count('<main class="sheet') == 2
    for skip, pages in ((0, 1), (3, 2)):
        reader = PdfReader(io.BytesIO(write_report("pdf", report, sheet=sheet, skip=skip)))
        assert len(reader.pages) == pages
        assert "0 · Ada" in reader.pages[0].extract_text()


def test_a_format_that_is_closed_early_closes_its_lines() -> None:
    closed = []

    def lines() -> Iterator[Line]:
        try:
            while True:
                yield LINES[0]
        finally:
            closed.append(True)

    endless = Report(id="x", label="x", description="", columns=COLUMNS, rows=lambda query: lines())
    parts = find_format("csv").write(a_printout(endless))
    assert next(parts)
    parts.close()  # type: ignore[attr-defined]
    del parts, endless
    assert closed == [True]


CHART = Chart(
    title="Ventes & marges",
    labels=["Avril", "Mai", "Juin"],
    series=[Series("Hors TVA", [100, -50, 300]), Series("TVA", [5, 0, 15])],
    money=True,
)


@pytest.mark.parametrize("kind", ["bars", "stacked", "line"])
def test_charts_are_svg_that_says_in_words_what_it_shows(kind: Any) -> None:
    chart = Chart(title=CHART.title, labels=CHART.labels, series=CHART.series, kind=kind, money=True)
    svg = ElementTree.fromstring(draw(chart, currency="EUR", language="fr"))  # noqa: S314 - ours
    namespace = "{http://www.w3.org/2000/svg}"
    assert svg.get("role") == "img"
    assert svg.findtext(f"{namespace}title") == "Ventes & marges"
    words = (svg.findtext(f"{namespace}desc") or "").replace("\xa0", " ")
    assert "Avril : Hors TVA 1,00 €, TVA 0,05 € · Mai : Hors TVA -0,50 €" in words
    assert len(svg.findall(f"{namespace}rect")) == (2 if kind == "line" else 8), (
        "a rectangle for each value, and the legend"
    )


@given(
    st.lists(st.lists(st.integers(-(10**12), 10**12), min_size=3, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["bars", "stacked", "line"]),
)
def test_every_mark_of_a_chart_lies_within_it(values: list[list[int]], kind: Any) -> None:
    series = [Series(f"s{number}", value) for number, value in enumerate(values)]
    svg = draw(Chart(title="t", labels=["a", "b", "c"], series=series, kind=kind), currency="EUR", language="fr")
    for rectangle in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"):  # noqa: S314 - ours
        y, height = float(rectangle.get("y", "")), float(rectangle.get("height", ""))
        assert 0 <= y <= y + height <= 300


def test_a_page_divides_long_groups_only() -> None:
    short_groups: list[Line] = [[name, 1] for name in "aabb"]
    long_group: list[Line] = [["c", 1] for _ in range(40)]
    report = a_report([*short_groups, *long_group], columns=COLUMNS[:2])
    html = write_report("html", report).decode()
    bodies = html.split("<tbody")[1:]
    assert [body.startswith(' class="whole"') for body in bodies] == [True, True, False, False, False, True]
    assert [body.count("<tr") for body in bodies] == [
        4,
        4,
        MAX_UNBROKEN_ROWS,
        MAX_UNBROKEN_ROWS,
        42 - 2 * MAX_UNBROKEN_ROWS,
        1,
    ]
