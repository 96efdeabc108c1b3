"""Product lists: reading the bytes of a file as rows of text, or saying clearly what is wrong with it."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Sequence

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as some

from commensal.base.errors import Invalid, Refused
from commensal.parts.formats.spreadsheets import FORMULA_SIGNS
from commensal.parts.product_lists.columns import _BY_SPELLING, COLUMNS, fold_header, read_headers
from commensal.parts.product_lists.read import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    ProductList,
    guard_formula,
    read_list,
    read_rows,
)

HEADERS = "producer,name,units,unit_type,price"
ROW = "Ferme des Ormes,Pommes,1,kg,2.50"
FRENCH = "producteur;nom;unités;type d'unité;prix"
FRENCH_ROW = "Ferme des Œufs;Pâté d’été – 1er choix;1;kg;2,50"


def names_in(product_list: ProductList) -> list[str]:
    return [row.cells["name"] for row in product_list.rows]


def problems(product_list: ProductList) -> list[tuple[str, str]]:
    return [(problem.where, problem.code) for problem in product_list.findings.listed]


def xlsx(rows: Sequence[Sequence[object]], *, visible: int = 0) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        for number in range(visible + 1):
            sheet = workbook.add_worksheet()
            if number < visible:
                sheet.hide()
        sheet.activate()
        sheet.set_first_sheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def change_part(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The same spreadsheet with some bytes of one part replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            data = before.read(info)
            assert info.filename != part or old in data
            after.writestr(info.filename, data.replace(old, new) if info.filename == part else data)
    return file.getvalue()


def _as_list(text: str) -> bytes:
    return f"{HEADERS}\n{ROW}\n{text}".encode()


SHEET = "xl/worksheets/sheet1.xml"
SMALL = xlsx([HEADERS.split(","), ["Ferme des Ormes", "Pommes", 1, "kg", 2.5]])


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_french_list_reads_the_same_in_every_encoding_that_spreadsheets_write(encoding: str) -> None:
    product_list = read_list(f"{FRENCH}\r\n{FRENCH_ROW}\r\n".encode(encoding))
    assert product_list.rows[0].cells == {
        "producer": "Ferme des Œufs",
        "name": "Pâté d’été – 1er choix",
        "units": "1",
        "unit_type": "kg",
        "price": "2,50",
    }


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
def test_an_encoding_that_would_spoil_accents_is_refused(encoding: str) -> None:
    with pytest.raises(Refused, match="CSV UTF-8") as error:
        read_list(f"{HEADERS}\nFerme,Pâté,1,kg,2".encode(encoding))
    assert error.value.code == "encoding"


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADERS}\nCafé,Thé,1,kg,2\n".encode() + "Pâté,Blé,1,kg,2".encode("cp1252"),
        b"\xef\xbb\xbf" + "Pâté".encode("cp1252"),
        b"\xff\xfe" + HEADERS.encode("utf-16-le") + b"x",
        HEADERS.encode("utf-16-le"),
        bytes(range(256)),
    ],
    ids=["half UTF-8", "wrong mark", "half a character", "UTF-16 without mark", "any bytes"],
)
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(Refused) as error:
        read_list(content)
    assert error.value.code == "encoding"


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_known_by_the_headers(delimiter: str) -> None:
    cells = ["Ferme", '"Pommes; poires, et\t""coings""\nen vrac"', "1", "kg", "2.50"]
    text = delimiter.join(HEADERS.split(",")) + "\n" + delimiter.join(cells)
    assert names_in(read_list(text.encode())) == ['Pommes; poires, et\t"coings"\nen vrac']


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_numbered_as_a_spreadsheet_does_and_empty_ones_passed_over(end: str) -> None:
    product_list = read_list(
        end.join([HEADERS, ROW, "", ",,,,", ROW.replace("Pommes", '"Poires\nen vrac"'), ROW]).encode()
    )
    assert [row.number for row in product_list.rows] == [2, 5, 6]


@pytest.mark.parametrize("row", ['Ferme,"Pommes,1,kg,2', 'Ferme,"Pommes" rouges,1,kg,2'])
def test_a_broken_quotation_is_named_by_its_row(row: str) -> None:
    with pytest.raises(Refused, match="Row 3 has a quotation mark"):
        read_list(f"{HEADERS}\n{ROW}\n{row}".encode())


def test_a_file_without_products_is_refused() -> None:
    for content in (b"", b"\n\n", HEADERS.encode(), f"{HEADERS}\n,,,,\n".encode()):
        with pytest.raises(Refused):
            read_list(content)


# Headers


def test_every_spelling_names_one_column() -> None:
    spellings = [
        {fold_header(word) for word in (column.key, column.english, column.french, *column.others)}
        for column in COLUMNS
    ]
    assert sum(map(len, spellings)) == len(set().union(*spellings))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_headers_match_without_case_accents_and_spaces(language: str) -> None:
    plain = [column.header(language) for column in COLUMNS]
    upper = [f" {header.upper().replace('_', ' ').replace('É', 'E')} " for header in plain]
    for headers in (plain, upper):
        product_list = read_list(f"{','.join(headers)}\n{','.join('x' * len(headers))}".encode())
        assert list(product_list.rows[0].cells) == [column.key for column in COLUMNS]


def test_every_mistake_in_the_headers_is_named() -> None:
    with pytest.raises(Invalid) as error:
        read_list(f"{HEADERS.replace('units,', '')},Prix,kategory,qwertz\n{ROW}".encode())
    problems = [(problem.code, str(problem)) for problem in error.value.problems]
    assert problems == [
        ("doubled_header", "row 1: The columns price and Prix say the same thing. Remove one of them."),
        ("unknown_header", "row 1: The column kategory is not known. Did you mean category?"),
        ("unknown_header", "row 1: The column qwertz is not known. Rename or remove it."),
        ("missing_header", "row 1: There is no column units (unités)."),
    ]


def test_a_value_under_no_header_is_a_mistake() -> None:
    product_list = read_list(f"{HEADERS},,\n{ROW},,x\n{ROW},,,y\n{ROW},,\n".encode())
    assert [str(problem) for problem in product_list.findings.listed] == [
        "row 2: Column G has no header, so what stands in it has no meaning.",
        "row 3: Column H has no header, so what stands in it has no meaning.",
    ]


# Limits


def test_ten_megabytes_in_one_cell_are_refused() -> None:
    with pytest.raises(Refused, match="larger than 5 MB"):
        read_list(f"{HEADERS}\n{ROW.replace('Pommes', 'x' * 10_000_000)}".encode())


@pytest.mark.parametrize("length", [LONGEST_CELL + 1, 200_000, 4_000_000])
def test_a_cell_that_is_too_long_is_named_by_row_and_column(length: int) -> None:
    product_list = read_list(f"{HEADERS}\n{ROW}\n{ROW.replace('Pommes', 'x' * length)}\n{ROW}".encode())
    assert problems(product_list) == [("row 3, name", "too_long")]
    assert len(product_list.rows) == 3


def test_more_rows_or_columns_than_allowed_are_refused() -> None:
    read_list("\n".join([HEADERS, *[ROW] * MOST_ROWS]).encode())
    with pytest.raises(Refused, match="more than 20000 rows"):
        read_list("\n".join([HEADERS, *[ROW] * (MOST_ROWS + 1)]).encode())
    with pytest.raises(Refused, match="more than 60 columns"):
        read_list(f"{HEADERS}{',' * MOST_COLUMNS}x\n{ROW}".encode())


def test_a_thousand_mistakes_are_listed_and_the_rest_counted() -> None:
    product_list = read_list("\n".join([HEADERS, *["=1,=2,=3,=4,=5"] * 500]).encode())
    assert (len(product_list.findings.listed), product_list.findings.unlisted) == (1000, 1500)
    with pytest.raises(Invalid) as error:
        product_list.findings.refuse()
    assert str(error.value.problems[-1]) == "There are 1500 more mistakes."


# Cells


@pytest.mark.parametrize("cell", ["a\x00b", "\x07", "x\x1b[31m"])
def test_characters_that_are_no_text_are_named_by_row_and_column(cell: str) -> None:
    product_list = read_list(f"{HEADERS}\n{ROW.replace('Pommes', cell)}".encode())
    assert problems(product_list) == [("row 2, name", "control_character")]


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "=HYPERLINK(1)"])
def test_a_formula_is_named_by_row_and_column(cell: str) -> None:
    product_list = read_list(f"{HEADERS}\n{ROW.replace('Pommes', cell)}".encode())
    assert problems(product_list) == [("row 2, name", "formula")]


@pytest.mark.parametrize("cell", ["-2", "+33 6 12", "-20%", "- sans sel", "a=b", "l'ail", "'tout'"])
def test_numbers_and_plain_text_are_no_formulas(cell: str) -> None:
    product_list = read_list(f"{HEADERS}\n{ROW.replace('Pommes', cell)}".encode())
    assert not product_list.findings
    assert names_in(product_list) == [cell]


@pytest.mark.parametrize("text", ["=1+1", "@x", "-2", "- x", "+x", "＝1+1", "−2", "'=1", "''@", "'x", "", "x"])
def test_what_the_export_guards_the_import_takes_back(text: str) -> None:
    product_list = read_list(f"{HEADERS}\n{ROW.replace('Pommes', guard_formula(text))}".encode())
    assert not product_list.findings
    assert names_in(product_list) == [text]
    assert not guard_formula(text).startswith(tuple(FORMULA_SIGNS))


# XLSX


def test_a_spreadsheet_reads_like_its_csv() -> None:
    (row,) = read_list(SMALL).rows
    assert row.number == 2
    assert list(row.cells.values()) == ["Ferme des Ormes", "Pommes", "1", "kg", "2.5"]


def test_numbers_have_the_digits_that_a_spreadsheet_shows() -> None:
    rows = [["producer", "name", "units", "unit_type", "price", "sku", "on_demand"]]
    rows.append(["F", "P", 0.1 + 0.2, "kg", 1e15, 123.0, True])  # type: ignore[list-item]
    assert list(read_list(xlsx(rows)).rows[0].cells.values()) == ["F", "P", "0.3", "kg", "1000000000000000", "123", "1"]


def test_a_formula_of_a_spreadsheet_is_its_value() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, HEADERS.split(","))
        sheet.write_row(1, 0, ["Ferme", "Pommes", 1, "kg"])
        sheet.write_formula(1, 4, "=1+1.5", None, 2.5)
    assert read_list(file.getvalue()).rows[0].cells["price"] == "2.5"


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    assert names_in(read_list(xlsx([HEADERS.split(","), ROW.split(",")], visible=2))) == ["Pommes"]


def test_the_rows_of_a_spreadsheet_keep_their_numbers() -> None:
    product_list = read_list(xlsx([HEADERS.split(","), [], ROW.split(","), [], [""] * 5, ROW.split(",")]))
    assert [row.number for row in product_list.rows] == [3, 6]


@pytest.mark.parametrize(
    "content",
    [SMALL[:-40], SMALL[: len(SMALL) // 2], b"PK\x03\x04" + bytes(1000), SMALL.replace(b"worksheets", b"worksheetz")],
    ids=["no end", "half", "zeros", "wrong names"],
)
def test_a_damaged_spreadsheet_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as error:
        read_list(content)
    assert error.value.code == "damaged"


def test_an_old_spreadsheet_is_refused_with_a_way_out() -> None:
    with pytest.raises(Refused, match="Save it as XLSX or CSV"):
        read_list(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def test_a_spreadsheet_that_unpacks_to_gigabytes_is_refused_unread() -> None:
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image.xml", bytes(70_000_000))
    assert len(file.getvalue()) < 1_000_000
    with pytest.raises(Refused) as error:
        read_list(file.getvalue())
    assert error.value.code == "too_large"


def test_a_spreadsheet_that_lies_about_its_size_is_refused() -> None:
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b"<x>" + b" " * 70_000_000 + b"</x>")
    size = (70_000_007).to_bytes(4, "little")
    assert size in file.getvalue()
    with pytest.raises(Refused) as error:
        read_list(file.getvalue().replace(size, (1_000).to_bytes(4, "little")))
    assert error.value.code == "damaged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<c r="E2">', b'<c r="XFD2">'),
        (b'<c r="E2">', b'<c r="E1048576">'),
        (b'<c r="E2">', b'</row><row r="1048576"><c>'),
        (b'<c r="E2">', b"<c><v>1</v></c>" * 70 + b"<c>"),
        (b"<sheetData>", b"<sheetData>" + b"<row/>" * 30_000 + b"<row><c><v>1</v></c></row>"),
    ],
    ids=["far column", "far cell", "far row", "many cells", "many rows"],
)
def test_a_cell_far_away_makes_no_room_for_all_between(old: bytes, new: bytes) -> None:
    with pytest.raises(Refused) as error:
        read_list(change_part(SMALL, SHEET, old, new))
    assert error.value.code == "too_large"


def test_a_formatted_row_far_away_does_no_harm() -> None:
    row = b'<row r="1048576" spans="1:5"><c r="A1048576" s="0"/></row></sheetData>'
    assert names_in(read_list(change_part(SMALL, SHEET, b"</sheetData>", row))) == ["Pommes"]


@pytest.mark.parametrize("reference", [b"$E$2", b"e2", b"E", b"5", b"E99999999999"])
def test_a_malformed_cell_reference_is_refused(reference: bytes) -> None:
    with pytest.raises(Refused) as error:
        read_list(change_part(SMALL, SHEET, b'r="E2"', b'r="' + reference + b'"'))
    assert error.value.code == "damaged"


def test_entities_are_not_expanded() -> None:
    bomb = b'?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet'
    with pytest.raises(Refused) as error:
        read_list(change_part(SMALL, SHEET, b"?>\n<worksheet", bomb))
    assert error.value.code == "damaged"


@pytest.mark.parametrize("spelling", sorted(_BY_SPELLING))
def test_a_header_with_a_slip_is_told_what_it_may_mean(spelling: str) -> None:
    _, problems = read_headers([f"{spelling}q"])
    assert "did you mean" in problems[0].text.lower() or len(spelling) < 3


# Anything at all


@given(some.binary(max_size=300) | some.text(max_size=300).map(str.encode) | some.text(max_size=200).map(_as_list))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(Refused):
        assert read_list(content).rows


@given(some.data())
def test_any_damage_to_a_spreadsheet_is_read_or_refused(data: some.DataObject) -> None:
    """Without the process that reads a member's file: a hundred of them take minutes."""
    content = bytearray(SMALL)
    for _ in range(data.draw(some.integers(1, 4))):
        content[data.draw(some.integers(0, len(content) - 1))] = data.draw(some.integers(0, 255))
    with contextlib.suppress(Refused):
        assert read_rows(bytes(content))
