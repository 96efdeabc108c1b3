"""Credits of statements: taken in once, matched by their references, or settled by a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from commensal import Conflict, Due, NotFound, Transaction, dues_by_number, insert_once, receive_payment

from .reference import order_numbers_in
from .statements.values import Credit
from .tables import bank_transfer_entry as entry

METHOD = "bank_transfer:transfer"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A credit. `amount` is minor units; `booked_on` the bank's day (ISO 8601).

    state:      open (nobody has said whose it is), matched, ignored
    settled_by: the person who said so; None: its reference did
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
class Taken:
    """What a statement brought: credits recorded for orders, credits that wait for a person, credits known before."""

    matched: int
    open: int
    known: int


_COLUMNS = tuple(entry.c[field.name] for field in fields(Entry))


def take_in(tx: Transaction, enterprise_id: str, credits: Sequence[Credit]) -> Taken:
    """Writes down every credit that was not known, and records those whose reference names one order of the shop.

    The amount is what came, be it more or less than was due: the order shows the difference. Credits whose text names
    two orders, none, or one in another currency wait for a person.
    """
    numbers = {number for credit in credits for number in order_numbers_in(credit.text)}
    orders = dues_by_number(tx, enterprise_id, numbers)
    matched = waiting = 0
    for credit in credits:
        entry_id = _write(tx, enterprise_id, credit)
        if entry_id is None:
            continue
        order = _order_of(credit, orders)
        if order is None:
            waiting += 1
        else:
            matched += 1
            _record(tx, enterprise_id, entry_id, credit.amount, order.order_id, None)
    return Taken(matched=matched, open=waiting, known=len(credits) - matched - waiting)


def settle(tx: Transaction, enterprise_id: str, entry_id: str, order_number: int, *, person_id: str | None) -> Entry:
    """Says for which order an open credit was. Raises `NotFound`, and `Conflict` for one that is settled already."""
    found = _open(tx, enterprise_id, entry_id)
    order = dues_by_number(tx, enterprise_id, [order_number]).get(order_number)
    if order is None:
        raise NotFound("no_order", "There is no such order.")
    if order.currency != found.currency:
        raise Conflict("other_currency", "This order is in {currency}.", currency=order.currency)
    _record(tx, enterprise_id, entry_id, found.amount, order.order_id, person_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def ignore(tx: Transaction, enterprise_id: str, entry_id: str, *, person_id: str | None) -> Entry:
    """Says that an open credit has nothing to do with orders. Raises as `settle`."""
    _open(tx, enterprise_id, entry_id)
    _move(tx, enterprise_id, entry_id, state="ignored", settled_by=person_id)
    return entry_by_id(tx, enterprise_id, entry_id)


def entries(
    tx: Transaction, enterprise_id: str, *, state: str = "open", after: str = "", limit: int = 50
) -> Sequence[Entry]:
    """Credits in this state, in the order in which they were taken in. `after` is the last id of the page before."""
    wanted = select(*_COLUMNS).where(entry.c.enterprise_id == enterprise_id, entry.c.state == state, entry.c.id > after)
    return [Entry(**row) for row in tx.all(wanted.order_by(entry.c.id).limit(limit))]


def entry_by_id(tx: Transaction, enterprise_id: str, entry_id: str) -> Entry:
    """Raises `NotFound`."""
    return Entry(**tx.one(select(*_COLUMNS).where(*_is(enterprise_id, entry_id))))


def _write(tx: Transaction, enterprise_id: str, credit: Credit) -> str | None:
    """The id of the new row; None where this credit is known."""
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
    named = order_numbers_in(credit.text)
    if len(named) != 1:
        return None
    order = orders.get(next(iter(named)))
    return order if order is not None and order.currency == credit.currency else None


def _record(
    tx: Transaction, enterprise_id: str, entry_id: str, amount: int, order_id: str, person_id: str | None
) -> None:
    paid = receive_payment(
        tx, enterprise_id=enterprise_id, order_id=order_id, method=METHOD, amount=amount,
        idempotency_key=f"bank_transfer:{entry_id}", person_id=person_id, reference=entry_id,
    )  # fmt: skip
    _move(tx, enterprise_id, entry_id, state="matched", order_id=order_id, payment_id=paid.id, settled_by=person_id)


def _open(tx: Transaction, enterprise_id: str, entry_id: str) -> Entry:
    found = entry_by_id(tx, enterprise_id, entry_id)
    if found.state != "open":
        raise Conflict("settled", "Somebody has settled this credit already.")
    return found


def _move(tx: Transaction, enterprise_id: str, entry_id: str, **values: object) -> None:
    """From open to the next state, once; of two people who settle it at once, the second is told."""
    moved = update(entry).where(*_is(enterprise_id, entry_id), entry.c.state == "open").values(**values)
    if tx.execute(moved).rowcount != 1:
        raise Conflict("settled", "Somebody has settled this credit already.")


def _is(enterprise_id: str, entry_id: str) -> Iterable[ColumnElement[bool]]:
    return entry.c.enterprise_id == enterprise_id, entry.c.id == entry_id
