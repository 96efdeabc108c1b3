"""Accounts of a shop's customers: opens and reads them, and changes balances by entries of the ledger."""

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

EntryKind = Literal["paid in", "order", "given back", "paid out", "correction"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A customer's account. Amounts are minor units of the shop's money, or hundredths of its unit.

    minimum: the lowest balance of this member; None: the shop's
    """

    enterprise_id: str
    customer_id: str
    balance: int
    minimum: int | None
    opened_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class AccountEntry:
    """An entry of the ledger; `balance` is the balance after it."""

    id: str
    at: datetime
    kind: EntryKind
    amount: int
    balance: int
    order_number: int | None
    note: str
    person_id: str | None


_ACCOUNT = tuple(account_balance.c[field.name] for field in fields(Account))
_ENTRY = tuple(account_entry.c[field.name] for field in fields(AccountEntry))


def open_account(tx: Transaction, enterprise_id: str, customer_id: str, *, minimum: int | None = None) -> Account:
    """Opens an empty account for a customer of the shop. Raises `NotFound`, and `Conflict` if they have one."""
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
    """Sets the lowest balance that this member's orders may reach; None: the shop's minimum.

    Raises `Stale`, `NotFound`.
    """
    condition = _selected(enterprise_id, customer_id)
    return Account(**edit_row(tx, account_balance, *condition, version=version, values={"minimum": minimum}))


def account_of(tx: Transaction, enterprise_id: str, customer_id: str, *, lock: bool = False) -> Account:
    """Returns a customer's account; `lock` locks it until the transaction ends. Raises `NotFound`."""
    statement = select(*_ACCOUNT).where(*_selected(enterprise_id, customer_id))
    row = tx.first(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound("no_account", "This customer has no account.")
    return Account(**row)


def accounts(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> Sequence[Account]:
    """Returns the accounts of the shop, sorted by customer id; `after` is the last id of the page before."""
    account = account_balance.c
    statement = select(*_ACCOUNT).where(account.enterprise_id == enterprise_id, account.customer_id > after)
    return [Account(**row) for row in tx.all(statement.order_by(account.customer_id).limit(limit))]


def balances(tx: Transaction, enterprise_id: str, until: datetime) -> dict[str, int]:
    """Returns the balances that were not zero at the moment `until` (aware), by customer id."""
    entry, balance = account_entry.c, func.sum(account_entry.c.amount)
    statement = select(entry.customer_id, balance.label("balance")).where(
        entry.enterprise_id == enterprise_id, entry.at <= until
    )
    rows = tx.all(statement.group_by(entry.customer_id).having(balance != 0))
    return {row["customer_id"]: int(row["balance"]) for row in rows}


def entries(
    tx: Transaction, enterprise_id: str, customer_id: str, *, after: str = "", limit: int = 50
) -> Sequence[AccountEntry]:
    """Returns the ledger of an account, oldest first; `after` is the last id of the page before."""
    entry = account_entry.c
    statement = select(*_ENTRY).where(
        entry.enterprise_id == enterprise_id, entry.customer_id == customer_id, entry.id > after
    )
    return [AccountEntry(**row) for row in tx.all(statement.order_by(entry.id).limit(limit))]


def latest_entries(tx: Transaction, enterprise_id: str, customer_id: str, *, limit: int) -> Sequence[AccountEntry]:
    """Returns the latest entries of an account's ledger, newest first."""
    entry = account_entry.c
    statement = select(*_ENTRY).where(entry.enterprise_id == enterprise_id, entry.customer_id == customer_id)
    return [AccountEntry(**row) for row in tx.all(statement.order_by(entry.id.desc()).limit(limit))]


def write_entry(
    tx: Transaction,
    enterprise_id: str,
    customer_id: str,
    kind: EntryKind,
    amount: int,
    *,
    note: str,
    person_id: str | None,
) -> AccountEntry:
    """Writes an entry by hand: paid in, paid out, or a correction. A positive `amount` raises the balance.

    Raises `Invalid` for an amount that does not fit its kind, `NotFound` without an account, and `Conflict` if more
    would be paid out than the balance.
    """
    problems: list[Problem] = []
    checked_note = read_text(note, "/note", problems, most=200)
    if not 0 < abs(amount) <= LARGEST or (kind == "paid in") != (amount > 0 and kind != "correction"):
        problems.append(Problem("amount", "What is paid in is above zero, what is paid out below.", "/amount"))
    if problems:
        raise Invalid(problems)
    floor = 0 if kind == "paid out" else None
    return move_balance(
        tx, enterprise_id, customer_id, kind, amount, floor=floor, note=checked_note, person_id=person_id
    )


def move_balance(
    tx: Transaction,
    enterprise_id: str,
    customer_id: str,
    kind: EntryKind,
    amount: int,
    *,
    floor: int | None,
    note: str = "",
    payment_id: str | None = None,
    order_number: int | None = None,
    person_id: str | None = None,
) -> AccountEntry:
    """Changes the balance and writes the entry; the database guards the `floor` against simultaneous changes.

    Raises `NotFound` without an account, and `Conflict` if the balance would fall below `floor` (None: no limit).
    """
    account = account_balance
    new_balance = account.c.balance + amount
    change = update(account).where(*_selected(enterprise_id, customer_id))
    if floor is not None and amount < 0:
        change = change.where(new_balance >= floor)
    row = tx.first(change.values(balance=new_balance).returning(account.c.balance))
    if row is None:
        account_of(tx, enterprise_id, customer_id)
        raise Conflict("balance_low", "There is not enough on this account.")
    values = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "customer_id": customer_id,
        "at": tx.now,
        "kind": kind,
        "amount": amount,
        "balance": row["balance"],
        "payment_id": payment_id,
        "order_number": order_number,
        "note": note,
        "person_id": person_id,
    }
    tx.execute(insert(account_entry), values)
    return AccountEntry(**{field.name: values[field.name] for field in fields(AccountEntry)})


def has_moved(tx: Transaction, payment_id: str) -> bool:
    """Tells whether this payment or refund has changed an account already."""
    return bool(tx.value(select(exists().where(account_entry.c.payment_id == payment_id))))


def paying_customer(tx: Transaction, payment_id: str) -> str:
    """Returns the customer from whose account a payment was taken. Raises `NotFound` if there is none."""
    customer_id = tx.value(select(account_entry.c.customer_id).where(account_entry.c.payment_id == payment_id))
    if customer_id is None:
        raise NotFound("no_account", "This customer has no account.")
    return str(customer_id)


def _selected(enterprise_id: str, customer_id: str) -> tuple[ColumnElement[bool], ...]:
    return account_balance.c.enterprise_id == enterprise_id, account_balance.c.customer_id == customer_id
