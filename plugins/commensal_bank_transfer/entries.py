"""Credits of statements: imported once, matched by their references, or settled by a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update

from commensal import (
    Conflict,
    Due,
    NotFound,
    Transaction,
    correct_payment,
    dues_by_number,
    insert_once,
    receive_payment,
)

from .reference import order_numbers_in
from .statements.values import Credit
from .tables import bank_transfer_entry as entry

METHOD = "bank_transfer:transfer"


@dataclass(frozen=True, kw_only=True)
class BankEntry:
    """A credit. `amount` is in minor units; `booked_on` is the bank's day (ISO 8601).

    state:      open (its order is not known), matched, ignored
    settled_by: the person who settled it; None: matched by its reference
    """

    id: str
    booked_on: str
    amount: int
    currency: str
    payer: str
    text: str
    state: str
    order_id: str | None
    payment_id: str | None
    settled_by: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """The result of an import: credits recorded for orders, credits waiting for a person, credits known before."""

    matched: int
    open: int
    known: int


_COLUMNS = tuple(entry.c[field.name] for field in fields(BankEntry))


def import_credits(tx: Transaction, enterprise_id: str, credits: Sequence[Credit]) -> ImportResult:
    """Stores every new credit, and records a payment for those whose reference names one order of the shop.

    The payment is for the amount received, even if more or less was due: the order shows the difference. Credits whose
    text names two orders, none, one in another currency, or one that is paid already wait for a person: what somebody
    recorded by hand may be this very money.
    """
    numbers = {number for credit in credits for number in order_numbers_in(credit.text)}
    orders = dues_by_number(tx, enterprise_id, numbers)
    matched = waiting = 0
    for credit in credits:
        entry_id = _insert(tx, enterprise_id, credit)
        if entry_id is None:
            continue
        order = _order_of(credit, orders)
        if order is None:
            waiting += 1
        else:
            matched += 1
            orders[order.number] = replace(order, paid=order.paid + credit.amount)
            _record(tx, enterprise_id, entry_id, credit.amount, order.order_id, None, before=None)
    return ImportResult(matched=matched, open=waiting, known=len(credits) - matched - waiting)


def settle(
    tx: Transaction, enterprise_id: str, entry_id: str, order_number: int, *, person_id: str | None
) -> BankEntry:
    """Records an open credit for an order. Raises `NotFound`, and `Conflict` for a credit that is settled already."""
    credit = _open_entry(tx, enterprise_id, entry_id)
    order = dues_by_number(tx, enterprise_id, [order_number]).get(order_number)
    if order is None:
        raise NotFound("no_order", "There is no such order.")
    if order.currency != credit.currency:
        raise Conflict("other_currency", "This order is in {currency}.", currency=order.currency)
    _record(tx, enterprise_id, entry_id, credit.amount, order.order_id, person_id, before=credit.payment_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def ignore(tx: Transaction, enterprise_id: str, entry_id: str, *, person_id: str | None) -> BankEntry:
    """Marks an open credit as unrelated to orders. Raises the same errors as `settle`."""
    _open_entry(tx, enterprise_id, entry_id)
    _settle_entry(tx, enterprise_id, entry_id, state="ignored", settled_by=person_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def reopen(tx: Transaction, enterprise_id: str, entry_id: str, *, person_id: str) -> BankEntry:
    """Makes a settled credit wait for a person again; its payment is taken back by an opposite entry in the journal.

    Raises `NotFound`; `Conflict` for a credit that is open, and if the order's money was given back meanwhile.
    """
    credit = entry_by_id(tx, enterprise_id, entry_id)
    if credit.state == "open":
        raise Conflict("open", "This credit is not settled.")
    if credit.state == "matched" and credit.payment_id is not None:
        correct_payment(tx, enterprise_id, credit.payment_id, person_id=person_id)
    is_settled = (*_selected(enterprise_id, entry_id), entry.c.state == credit.state)
    values = {"state": "open", "order_id": None, "settled_by": None}  # the payment stays named: the next has a new key
    if tx.execute(update(entry).where(*is_settled).values(values)).rowcount != 1:
        raise Conflict("settled", "Somebody has settled this credit already.")
    return entry_by_id(tx, enterprise_id, entry_id)


def entries(
    tx: Transaction, enterprise_id: str, *, state: str = "open", after: str = "", limit: int = 50
) -> Sequence[BankEntry]:
    """Returns credits in this state in the order of their import. `after` is the last id of the page before."""
    statement = select(*_COLUMNS).where(
        entry.c.enterprise_id == enterprise_id, entry.c.state == state, entry.c.id > after
    )
    return [BankEntry(**row) for row in tx.all(statement.order_by(entry.c.id).limit(limit))]


def settled_lately(tx: Transaction, enterprise_id: str, limit: int) -> Sequence[BankEntry]:
    """Returns the credits that were imported last and are settled, the newest first."""
    statement = select(*_COLUMNS).where(entry.c.enterprise_id == enterprise_id, entry.c.state != "open")
    return [BankEntry(**row) for row in tx.all(statement.order_by(entry.c.id.desc()).limit(limit))]


def count_open(tx: Transaction, enterprise_id: str) -> int:
    """Returns the number of credits that wait for a person."""
    is_open = (entry.c.enterprise_id == enterprise_id, entry.c.state == "open")
    return int(tx.value(select(func.count()).select_from(entry).where(*is_open)))


def entry_by_id(tx: Transaction, enterprise_id: str, entry_id: str) -> BankEntry:
    """Returns one credit. Raises `NotFound`."""
    return BankEntry(**tx.one(select(*_COLUMNS).where(*_selected(enterprise_id, entry_id))))


def _insert(tx: Transaction, enterprise_id: str, credit: Credit) -> str | None:
    """Inserts a credit and returns its id; None if it is known already."""
    row = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "key": credit.key,
        "booked_on": credit.booked_on.isoformat(),
        "amount": credit.amount,
        "currency": credit.currency,
        "payer": credit.payer[:200],
        "text": credit.text[:1000],
        "state": "open",
        "created_at": tx.now,
    }
    return str(row["id"]) if insert_once(tx, entry, row) else None


def _order_of(credit: Credit, orders: dict[int, Due]) -> Due | None:
    numbers = order_numbers_in(credit.text)
    if len(numbers) != 1:
        return None
    order = orders.get(next(iter(numbers)))
    if order is None or order.currency != credit.currency:
        return None
    return order if order.balance > 0 or order.state == "Cancelled" else None


def _record(
    tx: Transaction,
    enterprise_id: str,
    entry_id: str,
    amount: int,
    order_id: str,
    person_id: str | None,
    *,
    before: str | None,
) -> None:
    """Records the payment, once. `before` is the payment of this credit that was taken back, if there was one."""
    key = f"bank_transfer:{entry_id}" if before is None else f"bank_transfer:{entry_id}:{before}"
    payment = receive_payment(
        tx, enterprise_id=enterprise_id, order_id=order_id, method=METHOD, amount=amount,
        idempotency_key=key, person_id=person_id, reference=entry_id,
    )  # fmt: skip
    _settle_entry(
        tx, enterprise_id, entry_id, state="matched", order_id=order_id, payment_id=payment.id, settled_by=person_id
    )


def _open_entry(tx: Transaction, enterprise_id: str, entry_id: str) -> BankEntry:
    credit = entry_by_id(tx, enterprise_id, entry_id)
    if credit.state != "open":
        raise Conflict("settled", "Somebody has settled this credit already.")
    return credit


def _settle_entry(tx: Transaction, enterprise_id: str, entry_id: str, **values: object) -> None:
    """Changes an open credit, once. Raises `Conflict` for the second of two people who settle it at the same time."""
    change = update(entry).where(*_selected(enterprise_id, entry_id), entry.c.state == "open").values(**values)
    if tx.execute(change).rowcount != 1:
        raise Conflict("settled", "Somebody has settled this credit already.")


def _selected(enterprise_id: str, entry_id: str) -> Iterable[ColumnElement[bool]]:
    return entry.c.enterprise_id == enterprise_id, entry.c.id == entry_id
