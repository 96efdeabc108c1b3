"""Decodes text files of unknown origin: UTF-8, UTF-16, or the Windows-1252 of old programs."""

from __future__ import annotations

import codecs
import re

from ...base.errors import Refused

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
