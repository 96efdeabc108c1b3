"""Reads the CSV of a bank. Columns are found by French, English or German headers, or named in the settings.

Banks write lines above the headers, and amounts in one signed column or in two. Dates are day first, or ISO 8601.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from commensal import Problem, Refused, decode_text, read_amount, search_key

from ..settings import CsvColumns
from .values import Credit, Debit, Movement

_DATES = ("date", "date de comptabilisation", "date comptable", "date operation", "date de l'operation",
          "date d'operation", "dateop", "booking date", "transaction date", "buchungstag", "buchungsdatum")  # fmt: skip
_AMOUNTS = ("montant", "montant(euros)", "montant (eur)", "montant en euros", "montant eur", "amount", "amount (eur)",
            "betrag", "betrag (eur)")  # fmt: skip
_CREDITS = ("credit", "credit euros", "credit (eur)", "credit eur", "paid in", "haben")
_DEBITS = ("debit", "debit euros", "debit (eur)", "debit eur", "paid out", "soll")
_TEXTS = ("libelle", "libelle operation", "libelle simplifie", "libelle de l'operation", "libelle complementaire",
          "informations complementaires", "information complementaire", "reference", "communication", "motif",
          "description", "details", "label", "verwendungszweck", "remittance information")  # fmt: skip
_PAYERS = ("nom", "tiers", "emetteur", "nom de la contrepartie", "contrepartie", "payer", "name", "counterparty",
           "beguenstigter/zahlungspflichtiger", "auftraggeber")  # fmt: skip
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CENTURY = 2000  # of years of two digits: no bank writes older ones
MOST_ROWS = 50_000  # with those that are neither a credit nor a debit
_PREAMBLE = 30  # lines above the headers at most
_COLUMNS = 200  # at most, that are examined


@dataclass(frozen=True)
class _ColumnIndexes:
    date: int
    amounts: tuple[int, ...]
    texts: tuple[int, ...]
    payers: tuple[int, ...]
    debits: tuple[int, ...]  # where the bank writes what goes out into a column of its own


def read_csv(content: bytes, columns: CsvColumns, currency: str) -> Iterator[Movement]:
    """Yields the credits and debits of a CSV statement.

    Raises `Refused` if the headers are not found or a row cannot be read.
    """
    text = decode_text(content).replace("\x00", "")  # PostgreSQL stores none
    rows = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)), start=1)
    try:
        columns_found = next(
            filter(None, (_find_columns(cells, columns) for _, cells in islice(rows, _PREAMBLE))), None
        )
        if columns_found is None:
            raise Refused(
                "no_headers",
                "No row names a date, an amount and a text. Say in the settings how your bank names these columns.",
            )
        for number, cells in rows:
            if number > MOST_ROWS:
                raise Refused(
                    "too_many_rows", "This file has more than {most} rows; hand it in month by month.", most=MOST_ROWS
                )
            movement = _movement(cells, columns_found, currency, number)
            if movement is not None:
                yield movement
    except csv.Error as error:
        raise Refused("quoting", "This CSV cannot be read: {what}", what=str(error)) from error


def _find_columns(cells: Sequence[str], columns: CsvColumns) -> _ColumnIndexes | None:
    names = [search_key(cell) for cell in cells[:_COLUMNS]]

    def find(configured: str, usual: Sequence[str]) -> tuple[int, ...]:
        names_to_find = (search_key(configured),) if configured else usual
        return tuple(place for place, name in enumerate(names) if name in names_to_find)

    dates, texts = find(columns.date, _DATES), find(columns.text, _TEXTS)
    amounts = find(columns.amount, _AMOUNTS) if not columns.credit else ()
    debits = () if amounts else find("", _DEBITS)
    amounts = amounts or find(columns.credit, _CREDITS)
    if not (dates and texts and amounts):
        return None
    return _ColumnIndexes(dates[0], amounts[:1], texts, find(columns.payer, _PAYERS), debits[:1])


def _movement(cells: Sequence[str], columns_found: _ColumnIndexes, currency: str, number: int) -> Movement | None:
    """Returns what a row says; None for blank rows and sums at the end. What goes out may be less than 0, or stand in a
    column of its own; there it may be unreadable, since nothing depends on it."""
    amount_text = _amount_text(cells, columns_found.amounts[0], currency)
    day_text = _cell(cells, columns_found.date)
    if not day_text:
        return None
    amount = read_amount(_normalised(amount_text), currency) if amount_text else 0
    if isinstance(amount, Problem):
        raise Refused("amount", "Row {row}: {said} is not an amount.", row=number, said=amount_text[:40])
    if amount == 0 and columns_found.debits:
        sent = read_amount(_normalised(_amount_text(cells, columns_found.debits[0], currency)), currency)
        amount = 0 if isinstance(sent, Problem) else -abs(sent)
    if amount == 0:
        return None
    party = " ".join(filter(None, (_cell(cells, place) for place in columns_found.payers)))
    text = " ".join(filter(None, (_cell(cells, place) for place in columns_found.texts)))
    if amount > 0:
        day = _day(day_text, number)
        return Credit(booked_on=day, amount=amount, currency=currency, payer=party, text=text)
    try:
        day = _day(day_text, number)
    except Refused:
        return None
    return Debit(booked_on=day, amount=-amount, currency=currency, payee=party, text=text)


def _amount_text(cells: Sequence[str], place: int, currency: str) -> str:
    text = _cell(cells, place).replace(" ", "").replace("+", "")
    return text.removesuffix("€").removesuffix(currency)


def _normalised(text: str) -> str:
    """Removes the thousands separators of "1.234,50" or "1,234.50": the last mark is the decimal one."""
    decimal_mark = max(text.rfind(","), text.rfind("."))
    if decimal_mark < 0:
        return text
    return text[:decimal_mark].replace(",", "").replace(".", "") + "." + text[decimal_mark + 1 :]


def _day(text: str, number: int) -> date:
    written = text[:10].strip()
    try:
        if match := _DAY_FIRST.fullmatch(written):
            return date(int(match[4]) + (_CENTURY if len(match[4]) == 2 else 0), int(match[3]), int(match[1]))
        if match := _YEAR_FIRST.fullmatch(written):
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:  # a day that is in no calendar
        pass
    raise Refused("date", "Row {row}: {said} is not a date; write it like 31/12/2026.", row=number, said=text[:40])


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _delimiter(text: str) -> str:
    """Returns the most frequent of the usual delimiters in the first lines."""
    head = "".join(islice(io.StringIO(text), _PREAMBLE))
    return max(";\t,", key=head.count)
