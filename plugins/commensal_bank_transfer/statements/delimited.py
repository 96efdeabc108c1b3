"""Reads the CSV of a bank: its columns are found by their headers, French, English or German, or named in the settings.

Banks write lines above the headers, and amounts in one signed column or in two. Dates are day first, or ISO 8601.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from commensal import Problem, Refused, decode_text, read_amount, search_key

from ..settings import CsvColumns
from .values import Credit

_DATES = ("date", "date de comptabilisation", "date comptable", "date operation", "date de l'operation",
          "date d'operation", "dateop", "booking date", "transaction date", "buchungstag", "buchungsdatum")  # fmt: skip
_AMOUNTS = ("montant", "montant(euros)", "montant (eur)", "montant en euros", "montant eur", "amount", "amount (eur)",
            "betrag", "betrag (eur)")  # fmt: skip
_CREDITS = ("credit", "credit euros", "credit (eur)", "credit eur", "paid in", "haben")
_TEXTS = ("libelle", "libelle operation", "libelle simplifie", "libelle de l'operation", "libelle complementaire",
          "informations complementaires", "information complementaire", "reference", "communication", "motif",
          "description", "details", "label", "verwendungszweck", "remittance information")  # fmt: skip
_PAYERS = ("nom", "tiers", "emetteur", "nom de la contrepartie", "contrepartie", "payer", "name", "counterparty",
           "beguenstigter/zahlungspflichtiger", "auftraggeber")  # fmt: skip
_WRITTEN = ("%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
_PREAMBLE = 30  # lines above the headers at most
_COLUMNS = 200  # of those, at most so many are looked at


@dataclass(frozen=True)
class _Places:
    date: int
    amounts: tuple[int, ...]
    texts: tuple[int, ...]
    payers: tuple[int, ...]


def read_csv(content: bytes, columns: CsvColumns, currency: str) -> Iterator[Credit]:
    """Raises `Refused` where the headers are not found, naming what was looked for, or a row cannot be read."""
    text = decode_text(content)
    rows = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)), start=1)
    try:
        places = next(filter(None, (_places(cells, columns) for _, cells in islice(rows, _PREAMBLE))), None)
        if places is None:
            raise Refused(
                "no_headers",
                "No row names a date, an amount and a text. Say in the settings how your bank names these columns.",
            )
        for row, cells in rows:
            credit = _credit(cells, places, currency, row)
            if credit is not None:
                yield credit
    except csv.Error as error:
        raise Refused("quoting", "This CSV cannot be read: {what}", what=str(error)) from error


def _places(cells: Sequence[str], columns: CsvColumns) -> _Places | None:
    names = [search_key(cell) for cell in cells[:_COLUMNS]]

    def find(named: str, known: Sequence[str]) -> tuple[int, ...]:
        wanted = (search_key(named),) if named else known
        return tuple(place for place, name in enumerate(names) if name in wanted)

    dates, texts = find(columns.date, _DATES), find(columns.text, _TEXTS)
    amounts = find(columns.amount, _AMOUNTS) if not columns.credit else ()
    amounts = amounts or find(columns.credit, _CREDITS)
    if not (dates and texts and amounts):
        return None
    return _Places(dates[0], amounts[:1], texts, find(columns.payer, _PAYERS))


def _credit(cells: Sequence[str], places: _Places, currency: str, row: int) -> Credit | None:
    """None for a debit, and for rows that are no movement: blank ones, sums at the end."""
    written = _cell(cells, places.amounts[0]).replace(" ", "").replace("+", "").removesuffix("€").removesuffix(currency)
    day = _cell(cells, places.date)
    if not written or not day:
        return None
    amount = read_amount(_plain(written), currency)
    if isinstance(amount, Problem):
        raise Refused("amount", "Row {row}: {said} is no amount.", row=row, said=written[:40])
    if amount <= 0:
        return None
    return Credit(
        booked_on=_day(day, row),
        amount=amount,
        currency=currency,
        payer=" ".join(filter(None, (_cell(cells, place) for place in places.payers))),
        text=" ".join(filter(None, (_cell(cells, place) for place in places.texts))),
    )


def _plain(written: str) -> str:
    """ "1.234,50" and "1,234.50" without what groups the thousands: the last mark is the decimal one."""
    last = max(written.rfind(","), written.rfind("."))
    if last < 0:
        return written
    return written[:last].replace(",", "").replace(".", "") + "." + written[last + 1 :]


def _day(written: str, row: int) -> date:
    for form in _WRITTEN:
        try:
            return datetime.strptime(written[:10].strip(), form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    raise Refused("date", "Row {row}: {said} is no date; write it like 31/12/2026.", row=row, said=written[:40])


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _delimiter(text: str) -> str:
    """The one that splits most: a bank's file has no other in such numbers."""
    head = "".join(islice(io.StringIO(text), _PREAMBLE))
    return max(";\t,", key=head.count)
