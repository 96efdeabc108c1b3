"""Accounts of a shop's customers: opened, looked at, and moved by entries of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, exists, func, insert, select, update

from commensal import (
    LARGEST,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Transaction,
    customer_by_id,
    edit_row,
    insert_once,
    read_text,
)

from .tables import account_balance, account_entry

Kind = Literal["paid in", "order", "given back", "paid out", "correction"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A customer's account. Amounts are minor units of the shop's money, or hundredths of its unit.

    minimum: this member's own; None: the shop's
    """

    enterprise_id: str
    customer_id: str
    balance: int
    minimum: int | None
    opened_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the ledger; `balance` is what was there after it."""

    id: str
    at: datetime
    kind: Kind
    amount: int
    balance: int
    order_number: int | None
    note: str
    person_id: str | None


_ACCOUNT = tuple(account_balance.c[one.name] for one in fields(Account))
_ENTRY = tuple(account_entry.c[one.name] for one in fields(Entry))


def open_account(tx: Transaction, enterprise_id: str, customer_id: str, *, minimum: int | None = None) -> Account:
    """An empty account for a customer of the shop. Raises `NotFound`, and `Conflict` where they have one."""
    customer_by_id(tx, enterprise_id, customer_id)
    row = {
        "enterprise_id": enterprise_id,
        "customer_id": customer_id,
        "balance": 0,
        "minimum": minimum,
        "opened_at": tx.now,
        "version": 1,
    }
    if not insert_once(tx, account_balance, row):
        raise Conflict("account_open", "This customer has an account already.")
    return account_of(tx, enterprise_id, customer_id)


def change_minimum(tx: Transaction, enterprise_id: str, customer_id: str, version: int, minimum: int | None) -> Account:
    """Sets how low this member's balance may go; None: as low as the shop lets everybody.

    Raises `Stale`, `NotFound`.
    """
    whose = _is(enterprise_id, customer_id)
    return Account(**edit_row(tx, account_balance, *whose, version=version, values={"minimum": minimum}))


def account_of(tx: Transaction, enterprise_id: str, customer_id: str, *, lock: bool = False) -> Account:
    """With `lock`, nobody else moves it until the transaction ends. Raises `NotFound` where there is none."""
    wanted = select(*_ACCOUNT).where(*_is(enterprise_id, customer_id))
    row = tx.first(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise NotFound("no_account", "This customer has no account.")
    return Account(**row)


def accounts(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> Sequence[Account]:
    """All accounts of the shop, by customer id."""
    row = account_balance.c
    wanted = select(*_ACCOUNT).where(row.enterprise_id == enterprise_id, row.customer_id > after)
    return [Account(**one) for one in tx.all(wanted.order_by(row.customer_id).limit(limit))]


def entries(
    tx: Transaction, enterprise_id: str, customer_id: str, *, after: str = "", limit: int = 50
) -> Sequence[Entry]:
    """The ledger of an account, the oldest first."""
    row = account_entry.c
    wanted = select(*_ENTRY).where(row.enterprise_id == enterprise_id, row.customer_id == customer_id, row.id > after)
    return [Entry(**one) for one in tx.all(wanted.order_by(row.id).limit(limit))]


def write_down(
    tx: Transaction, enterprise_id: str, customer_id: str, kind: Kind, amount: int, *, note: str, person_id: str | None
) -> Entry:
    """What a person pays in, is paid out, or corrects. `amount` is positive where it comes in.

    Raises `Invalid` for an amount that does not fit its kind, `NotFound` without an account, and `Conflict` where more
    would be paid out than there is.
    """
    problems: list[Problem] = []
    read = read_text(note, "/note", problems, most=200)
    if not 0 < abs(amount) <= LARGEST or (kind == "paid in") != (amount > 0 and kind != "correction"):
        problems.append(Problem("amount", "What is paid in is above zero, what is paid out below.", "/amount"))
    if problems:
        raise Invalid(problems)
    floor = 0 if kind == "paid out" else None
    return move(tx, enterprise_id, customer_id, kind, amount, floor=floor, note=read, person_id=person_id)


def move(
    tx: Transaction,
    enterprise_id: str,
    customer_id: str,
    kind: Kind,
    amount: int,
    *,
    floor: int | None,
    note: str = "",
    payment_id: str | None = None,
    order_number: int | None = None,
    person_id: str | None = None,
) -> Entry:
    """Moves the balance and writes the entry; the database decides, so two at once never pass the `floor` together.

    Raises `NotFound` without an account, and `Conflict` where the balance would fall below `floor` (None: any).
    """
    row = account_balance
    after = row.c.balance + amount
    moved = update(row).where(*_is(enterprise_id, customer_id))
    if floor is not None and amount < 0:
        moved = moved.where(after >= floor)
    found = tx.first(moved.values(balance=after).returning(row.c.balance))
    if found is None:
        account_of(tx, enterprise_id, customer_id)
        raise Conflict("balance_low", "There is not enough on this account.")
    values = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "customer_id": customer_id,
        "at": tx.now,
        "kind": kind,
        "amount": amount,
        "balance": found["balance"],
        "payment_id": payment_id,
        "order_number": order_number,
        "note": note,
        "person_id": person_id,
    }
    tx.execute(insert(account_entry), values)
    return Entry(**{one.name: values[one.name] for one in fields(Entry)})


def moved_by(tx: Transaction, payment_id: str) -> bool:
    """Whether this payment or refund has moved an account already."""
    return bool(tx.value(select(exists().where(account_entry.c.payment_id == payment_id))))


def paid_by(tx: Transaction, payment_id: str) -> str:
    """The customer from whose account a payment was taken. Raises `NotFound` where it was taken from none."""
    customer_id = tx.value(select(account_entry.c.customer_id).where(account_entry.c.payment_id == payment_id))
    if customer_id is None:
        raise NotFound("no_account", "This customer has no account.")
    return str(customer_id)


def unbalanced(tx: Transaction, enterprise_id: str) -> Sequence[str]:
    """Customers whose balance is not the sum of their ledger: none, unless somebody changed the database by hand."""
    entry, row = account_entry.c, account_balance.c
    written = (
        select(func.coalesce(func.sum(entry.amount), 0))
        .where(entry.enterprise_id == row.enterprise_id, entry.customer_id == row.customer_id)
        .scalar_subquery()
    )
    wrong = select(row.customer_id).where(row.enterprise_id == enterprise_id, row.balance != written)
    return [one["customer_id"] for one in tx.all(wrong)]


def _is(enterprise_id: str, customer_id: str) -> tuple[ColumnElement[bool], ...]:
    return account_balance.c.enterprise_id == enterprise_id, account_balance.c.customer_id == customer_id
