"""CSV (RFC 4180) for spreadsheets in the reader's language: with semicolons where it has decimal commas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from ...base.errors import Refused

if TYPE_CHECKING:
    from _csv import Writer


# Characters that begin a formula. Excel treats full-width forms as the plain ones in Chinese, Japanese and Korean
# locales, and converters that normalise text (NFKC) treat small forms so.
FORMULA_SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫−"
_FORMULA = re.compile(rf"\s*[{re.escape(FORMULA_SIGNS)}\t\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def csv_bytes(rows: Iterable[Sequence[object]], language: str) -> bytes:
    """A small table in UTF-8 with a byte order mark, without which Excel expects Windows-1252; texts are `harmless`,
    and a cell of None is empty."""
    text = io.StringIO(newline="")
    writer = csv_writer(text, language)
    for cells in rows:
        writer.writerow([_cell(cell, language) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def csv_writer(out: io.StringIO, language: str) -> Writer:
    """A writer of rows, which does not change their cells."""
    return csv.writer(out, delimiter=";" if decimal_mark(language) == "," else ",", lineterminator="\r\n")


@cache
def decimal_mark(language: str) -> str:
    """The decimal separator of the language."""
    from babel import Locale, UnknownLocaleError  # slow to import, and few commands write tables
    from babel.numbers import get_decimal_symbol

    try:
        return str(get_decimal_symbol(Locale.parse(language)))
    except (UnknownLocaleError, ValueError):
        return "."


def harmless(text: str) -> str:
    """The text without control characters, and after an apostrophe if it could be a formula (OWASP, CSV injection)."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{text}" if _FORMULA.match(text) else text


def _cell(value: object, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return str(value).replace(".", decimal_mark(language))
    return harmless(value) if isinstance(value, str) else str(value)


# Decodes text files of unknown origin: UTF-8, UTF-16, or the Windows-1252 of old programs.

# The characters of Western European text in Windows-1252. Text in another old encoding (Mac OS Roman, DOS 850, Central
# European) or broken UTF-8 has other characters when it is decoded as Windows-1252.
_SENSIBLE = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒŸßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿœ"
    "«»‹›‘’“”–—…•·€£§©®™°ºª²³½¼¾×¿¡\N{NO-BREAK SPACE}\N{SOFT HYPHEN}"
)
_BROKEN_UTF8 = re.compile(rb"[\xc2\xc3][\x80-\xbf]")  # an accent in UTF-8, which would be shown as "Ã©"


def decode_text(content: bytes) -> str:
    """Text from bytes. Raises `Refused`, with what to do, if the encoding is not certain, so that no accent is lost."""
    encoding = "utf-8"
    if content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        text = _windows(content) if encoding == "utf-8" else None
        if text is None:
            raise _unknown_encoding() from error
        return text


def _windows(content: bytes) -> str | None:
    """The text decoded as Windows-1252, which Excel writes; None if it would have unlikely characters."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    if not all(character < "\x7f" or character in _SENSIBLE for character in set(text)):
        return None
    return None if _BROKEN_UTF8.search(content) else text


def _unknown_encoding() -> Refused:
    return Refused(
        "encoding",
        "The characters of this file are not readable. Save it again: in Excel as “CSV UTF-8”, in LibreOffice as "
        "“Text CSV” with the character set “Unicode (UTF-8)”, or as an XLSX file.",
    )
