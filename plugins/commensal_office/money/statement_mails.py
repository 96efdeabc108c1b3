"""Statements that suppliers get by e-mail: what the page shows, as it is now, and when it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import insert, select

from commensal import (
    Column,
    Conflict,
    Enterprise,
    SaleSession,
    SupplierAccount,
    Transaction,
    account_of,
    enterprise_by_id,
    format_day,
    format_money,
    format_percent,
    format_quantity,
    mail_enterprise,
    translate,
)
from commensal.enterprises import addresses_of
from commensal.parts.mail import MailTable
from commensal.parts.supply import (
    OwedToSupplier,
    StatementCorrection,
    StatementLine,
    statement_corrections,
    statement_lines,
)

from ..tables import office_statement_mail

# The statement of a supplier as a table: amounts and deposits add up to what is owed.


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


_KIND = "office_statement"
_row = office_statement_mail.c


@dataclass(frozen=True, kw_only=True)
class StatementMail:
    """A statement that was mailed; `owed` and `paid` are what it said, in minor units of the shop's currency."""

    at: datetime
    owed: int
    paid: int


def statement_mails(tx: Transaction, enterprise_id: str, session_id: str, supplier_id: str) -> Sequence[StatementMail]:
    """Returns the statements of a sale that a supplier was mailed, the oldest first."""
    of_supplier = (_row.enterprise_id == enterprise_id, _row.session_id == session_id, _row.supplier_id == supplier_id)
    rows = tx.all(select(_row.at, _row.owed, _row.paid).where(*of_supplier).order_by(_row.id))
    return [StatementMail(**row) for row in rows]


def mail_statement(
    tx: Transaction, shop: Enterprise, session: SaleSession, supplier_id: str, *, sent_before: int, person_id: str
) -> None:
    """Enqueues the e-mail to the supplier's address, in the supplier's language, and notes it.

    `sent_before` is how many the person was shown: with another number the button was pressed twice, or somebody else
    was quicker. Raises `Conflict` for that, for a supplier without an address, and while the statement has goods that
    did not come; `NotFound` for a supplier of another sale.
    """
    account = account_of(tx, shop.id, session.id, supplier_id)
    supplier = enterprise_by_id(tx, supplier_id)
    _refuse_unready(tx, shop, session, supplier, account, sent_before)
    statement = _Statement(
        shop=shop,
        session=session,
        supplier=supplier,
        account=account,
        goods=statement_lines(tx, shop.id, session.id, supplier_id),
        corrections=statement_corrections(tx, shop.id, session.id, supplier_id),
    )
    mail_enterprise(tx, supplier_id, _KIND, _values(statement), caused_by=shop.id, table=_table(statement))
    row = {"id": tx.new_id(), "enterprise_id": shop.id, "session_id": session.id, "supplier_id": supplier_id}
    sums = {"owed": account.owed.total, "paid": account.paid}
    tx.execute(insert(office_statement_mail).values(**row, **sums, at=tx.now, person_id=person_id))


def _refuse_unready(
    tx: Transaction,
    shop: Enterprise,
    session: SaleSession,
    supplier: Enterprise,
    account: SupplierAccount,
    sent_before: int,
) -> None:
    if account.undelivered:
        text = "Change the orders that still have goods that did not come, then mail the statement."
        raise Conflict("undelivered", text)
    if not addresses_of(tx, supplier.id).emails:
        raise Conflict("no_address", "{name} has no e-mail address.", name=supplier.name)
    if len(statement_mails(tx, shop.id, session.id, supplier.id)) != sent_before:
        raise Conflict("sent_already", "This statement was sent a moment ago: look at the list.")


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """What an e-mail and its table say, in the supplier's language."""

    shop: Enterprise
    session: SaleSession
    supplier: Enterprise
    account: SupplierAccount
    goods: Sequence[StatementLine]
    corrections: Sequence[StatementCorrection]

    @property
    def language(self) -> str:
        return self.supplier.language

    @property
    def day(self) -> str:
        return format_day(self.session.begins_at, self.shop.timezone, self.language)

    def money(self, amount: int) -> str:
        """Minor units of the shop's currency, as text."""
        return format_money(amount, self.account.owed.currency, self.language)


def _values(statement: _Statement) -> dict[str, object]:
    """What the template of the e-mail shows."""
    shop, account, language = statement.shop, statement.account, statement.language
    lines = [(_label(line, statement), line.amount) for line in statement.goods]
    extra = (
        *((entry.label, entry.amount) for entry in statement.corrections),
        (translate(language, "Fees for this supplier"), account.owed.fees),
        (translate(language, "Deposits, less empties that came back"), account.owed.deposits),
    )
    lines += [(label, amount) for label, amount in extra if amount]
    return {
        "hub": shop.name,
        "contact": " · ".join(text for text in (shop.email, shop.phone) if text),
        "sale": statement.session.name,
        "day": statement.day,
        "lines": [(label, statement.money(amount)) for label, amount in lines],
        "total": statement.money(account.owed.total),
        "paid": statement.money(account.paid) if account.paid else "",
        "left": statement.money(account.left),
    }


def _label(line: StatementLine, statement: _Statement) -> str:
    """The pieces and name of a line, with its price, and its weight if that is what was paid."""
    language = statement.language
    size = format_quantity(line.unit_quantity, line.unit, language)
    price = translate(language, "{price} for {size}").format(price=statement.money(line.price), size=size)
    if not line.weighed:
        return f"{line.pieces} × {line.name} ({price})"
    paid = translate(language, "weight paid: {weight}")
    weight = paid.format(weight=format_quantity(line.paid_quantity, line.unit, language))
    return f"{line.pieces} × {line.name} ({price}, {weight})"


def _sums(statement: _Statement) -> list[str]:
    """The sums of a statement, each in a line above its table."""
    account, language = statement.account, statement.language
    sums = {"Total": account.owed.total, "Paid": account.paid, "Left to pay": account.left}
    text = translate(language, "{label}: {amount}")
    return [text.format(label=translate(language, label), amount=statement.money(each)) for label, each in sums.items()]


def _table(statement: _Statement) -> MailTable:
    """The statement as a table in the supplier's language."""
    shop, session, language = statement.shop, statement.session, statement.language
    title = translate(language, "Statement of {hub} for {supplier}")

    def column(
        name: str, label: str, kind: Literal["text", "whole", "money"] = "text", *, summed: bool = False
    ) -> Column:
        return Column(name=name, label=translate(language, label), kind=kind, summed=summed)

    def of_goods(line: StatementLine | None) -> Sequence[str | int | None]:
        if line is None:
            return (None,) * 4
        size, paid = (format_quantity(value, line.unit, language) for value in (line.unit_quantity, line.paid_quantity))
        return line.pieces, size, line.price, paid

    return MailTable(
        enterprise_id=shop.id,
        name=f"{shop.slug}-{session.begins_at.astimezone(shop.zone):%Y-%m-%d}",
        title=title.format(hub=shop.name, supplier=statement.supplier.name),
        about=[session.name, statement.day, *_sums(statement)],
        columns=[
            column("product", "Product"),
            column("pieces", "Pieces", "whole"),
            column("size", "Size"),
            column("price", "Price", "money"),
            column("paid", "Paid quantity"),
            column("vat_rate", "VAT rate"),
            column("amount", "Amount", "money", summed=True),
            column("deposits", "Deposits", "money", summed=True),
        ],
        rows=[
            [
                row.label,
                *of_goods(row.goods),
                None if row.vat_rate is None else format_percent(row.vat_rate, language),
                row.amount,
                row.deposits,
            ]
            for row in statement_rows(statement.account.owed, statement.goods, statement.corrections, language)
        ],
    )
