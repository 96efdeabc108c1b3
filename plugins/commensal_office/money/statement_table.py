"""The statement of a supplier as a table: amounts and deposits add up to what is owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from commensal import translate
from commensal.parts.supply import OwedToSupplier, StatementCorrection, StatementLine


@dataclass(frozen=True, kw_only=True)
class StatementRow:
    """A row of a statement; `goods` is None for fees, VAT that prices leave out, corrections and empties. Amounts are
    minor units."""

    label: str
    amount: int
    deposits: int
    vat_rate: Decimal | None = None
    goods: StatementLine | None = None


def statement_rows(
    owed: OwedToSupplier, lines: Sequence[StatementLine], corrections: Sequence[StatementCorrection], language: str
) -> Iterator[StatementRow]:
    """Yields the rows in the reader's language, without their sums."""
    for line in lines:
        yield StatementRow(
            label=line.name, amount=line.amount, deposits=line.deposits, vat_rate=line.vat_rate, goods=line
        )
    for entry in corrections:
        yield StatementRow(label=entry.label, amount=entry.amount, deposits=0, vat_rate=entry.vat_rate)
    amount = owed.total - owed.deposits
    rest = [
        ("Fees for this supplier", owed.fees, 0),
        # What prices without VAT leave out: it is rounded once for each rate, and so stands on no line.
        ("VAT", amount - owed.fees - sum(line.amount for line in lines) - sum(each.amount for each in corrections), 0),
        ("Empties that came back", 0, owed.deposits - sum(line.deposits for line in lines)),
    ]
    for label, its_amount, deposits in rest:
        if its_amount or deposits:
            yield StatementRow(label=translate(language, label), amount=its_amount, deposits=deposits)
