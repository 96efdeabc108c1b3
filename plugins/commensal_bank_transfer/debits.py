"""Debits of statements: imported once, and matched by a person with what a supplier or a customer got.

What is known already is only marked; what is not is recorded by the same press, and taken back with the decision.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Column, ColumnElement, func, select, update

from commensal import (
    Conflict,
    Money,
    NotFound,
    Row,
    Transaction,
    account_of,
    accounts_of_shop,
    correct_payment,
    enterprises_by_id,
    insert_once,
    orders_by_id,
    orders_to_give_back,
    pay_supplier,
    payments_of_amount,
    record_given_back,
    refunds_of_amount,
    search_key,
    sessions_by_id,
    sessions_of_shop,
)

from .entries import METHOD
from .statements.values import Debit
from .tables import bank_transfer_debit as debit_row

MOST = 3  # answers offered for one debit
_SALES = 12  # the newest of the shop, whose suppliers may have been paid
_WORD = re.compile(r"[^\W\d_]{3,}")
_debit = debit_row.c


@dataclass(frozen=True, kw_only=True)
class BankDebit:
    """A debit. `amount` is in minor units and positive; `booked_on` is the bank's day (ISO 8601).

    state:    open (nobody has said what it was for), matched, ignored
    recorded: whether the payment was recorded with the decision; otherwise it was known before
    """

    id: str
    booked_on: str
    amount: int
    currency: str
    payee: str
    text: str
    state: str
    supplier_payment_id: str | None
    payment_id: str | None
    recorded: bool
    settled_by: str | None
    created_at: datetime


_RECORDED = ("known", "given")  # kinds of answers that record nothing


@dataclass(frozen=True, kw_only=True)
class DebitMatch:
    """What a debit may have been for, with a subject that `match` understands.

    kind:  "known": a payment to a supplier that is recorded already; "supplier": one that is not, for the sale of
           `day`; "given": money given back for the order `number` that is recorded already; "refund": money owed back
    owed:  what is still to be paid or given back, in minor units; of "known" and "given" what was paid
    """

    kind: Literal["known", "supplier", "given", "refund"]
    subject: str
    name: str
    owed: int
    sale: str = ""
    day: datetime | None = None
    number: int | None = None


_COLUMNS = tuple(_debit[field.name] for field in fields(BankDebit))


def import_debits(tx: Transaction, enterprise_id: str, debits: Sequence[Debit]) -> int:
    """Stores every new debit, and returns how many are new."""
    return sum(
        insert_once(
            tx,
            debit_row,
            {
                "id": tx.new_id(),
                "enterprise_id": enterprise_id,
                "key": debit.key,
                "booked_on": debit.booked_on.isoformat(),
                "amount": debit.amount,
                "currency": debit.currency,
                "payee": debit.payee[:200],
                "text": debit.text[:1000],
                "state": "open",
                "recorded": False,
                "created_at": tx.now,
            },
        )
        for debit in debits
    )


def open_debits(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 1) -> list[BankDebit]:
    """Returns the debits that wait for a person, in the order of their import, beyond the id `after`."""
    is_open = (_debit.enterprise_id == enterprise_id, _debit.state == "open", _debit.id > after)
    return [BankDebit(**row) for row in tx.all(select(*_COLUMNS).where(*is_open).order_by(_debit.id).limit(limit))]


def count_open_debits(tx: Transaction, enterprise_id: str) -> int:
    """Returns how many debits wait for a person."""
    is_open = (_debit.enterprise_id == enterprise_id, _debit.state == "open")
    return int(tx.value(select(func.count()).select_from(debit_row).where(*is_open)))


def count_debits(tx: Transaction, enterprise_id: str) -> int:
    """Returns how many debits were imported, decided or not."""
    return int(tx.value(select(func.count()).select_from(debit_row).where(_debit.enterprise_id == enterprise_id)))


def debits_settled_lately(tx: Transaction, enterprise_id: str, limit: int) -> list[BankDebit]:
    """Returns the debits that were imported last and are decided, the newest first."""
    is_settled = (_debit.enterprise_id == enterprise_id, _debit.state != "open")
    statement = select(*_COLUMNS).where(*is_settled).order_by(_debit.id.desc()).limit(limit)
    return [BankDebit(**row) for row in tx.all(statement)]


def debit_by_id(tx: Transaction, enterprise_id: str, debit_id: str) -> BankDebit:
    """Returns one debit. Raises `NotFound`."""
    return BankDebit(**tx.one(select(*_COLUMNS).where(_debit.enterprise_id == enterprise_id, _debit.id == debit_id)))


# ------------------------------------------------------------------------------------------------ what it may be


def answers_for(tx: Transaction, enterprise_id: str, debit: BankDebit) -> list[DebitMatch]:
    """What the debit may have been for, the likeliest first: what is known by the sum, then what is owed by the sum or
    to somebody whom the text names."""
    words = set(_WORD.findall(search_key(f"{debit.payee} {debit.text}")))

    def weight(answer: DebitMatch) -> int:
        names = set(_WORD.findall(search_key(answer.name)))
        is_named = bool(names) and (names <= words or len(names & words) > 1)
        return 4 * (answer.kind in _RECORDED) + 3 * (answer.owed == debit.amount) + 3 * is_named

    candidates = _all_answers(tx, enterprise_id, debit)
    likely = [(weight(answer), answer) for answer in candidates if answer.owed >= debit.amount]
    chosen = sorted((pair for pair in likely if pair[0]), key=lambda pair: -pair[0])
    return [answer for _, answer in chosen[:MOST]]


def _linked(tx: Transaction, column: Column[str], ids: Collection[str], *conditions: ColumnElement[bool]) -> set[str]:
    """Those of these payments to which a debit is linked by this column."""
    return {row[column.name] for row in tx.all(select(column).where(column.in_(ids), *conditions))}


def _paid_suppliers(tx: Transaction, enterprise_id: str, debit: BankDebit) -> Iterator[DebitMatch]:
    payments = payments_of_amount(tx, enterprise_id, debit.amount)
    linked = _linked(tx, _debit.supplier_payment_id, [each.id for each in payments])
    names = enterprises_by_id(tx, {each.supplier_id for each in payments})
    sessions = sessions_by_id(tx, {each.session_id for each in payments})
    for each in payments:
        if each.id not in linked and each.currency == debit.currency:
            session = sessions[each.session_id]
            yield DebitMatch(
                kind="known",
                subject=each.id,
                name=names[each.supplier_id].name,
                owed=each.amount,
                sale=session.name,
                day=session.begins_at,
            )


def _given_back(tx: Transaction, enterprise_id: str, debit: BankDebit) -> Iterator[DebitMatch]:
    refunds = refunds_of_amount(tx, enterprise_id, METHOD, debit.amount)
    linked = _linked(tx, _debit.payment_id, [each.id for each in refunds], _debit.state == "matched")
    orders = orders_by_id(tx, {each.order_id for each in refunds})
    for each in refunds:
        if each.id not in linked and each.currency == debit.currency:
            order = orders[each.order_id]
            yield DebitMatch(kind="given", subject=each.id, name=order.name, owed=each.amount, number=order.number)


def _to_suppliers(tx: Transaction, enterprise_id: str) -> Iterator[DebitMatch]:
    sessions = {each.id: each for each in sessions_of_shop(tx, enterprise_id, limit=_SALES)}
    for (session_id, supplier_id), account in accounts_of_shop(tx, enterprise_id, sessions).items():
        session = sessions[session_id]
        yield DebitMatch(
            kind="supplier",
            subject=f"{session_id}/{supplier_id}",
            name=account.owed.supplier,
            owed=account.left_of_delivered,
            sale=session.name,
            day=session.begins_at,
        )


def _refunds(tx: Transaction, enterprise_id: str) -> Iterator[DebitMatch]:
    for order in orders_to_give_back(tx, enterprise_id):
        yield DebitMatch(kind="refund", subject=order.id, name=order.name, owed=-order.due, number=order.number)


# ------------------------------------------------------------------------------------------------ what it was


def match(
    tx: Transaction, enterprise_id: str, debit_id: str, *, kind: str, subject: str, owed: int, person_id: str
) -> BankDebit:
    """Says what an open debit was for: a kind and a subject of `answers_for`, of which `owed` was shown.

    Raises `NotFound`; `Conflict` for a debit that is decided already, and if another amount is owed by now.
    """
    debit = _open_debit(tx, enterprise_id, debit_id)
    answer = next(
        (each for each in _all_answers(tx, enterprise_id, debit) if (each.kind, each.subject) == (kind, subject)), None
    )
    if answer is None:
        raise NotFound("no_answer", "There is nothing like that to match it with any more. Look again.")
    if answer.owed != owed or owed < debit.amount:
        text = "{owed} is owed to {name} now. Look again before you record it."
        raise Conflict("owed_changed", text, owed=Money(answer.owed, debit.currency), name=answer.name)
    values: Row = {"state": "matched", "settled_by": person_id, "recorded": kind not in _RECORDED}
    reference = f"{debit.booked_on} {debit.text}".strip()[:200]
    if kind == "known":
        values["supplier_payment_id"] = subject
    elif kind == "given":
        values["payment_id"] = subject
    elif kind == "supplier":
        session_id, _, supplier_id = subject.partition("/")
        left = account_of(tx, enterprise_id, session_id, supplier_id).left
        values["supplier_payment_id"] = pay_supplier(
            tx,
            enterprise_id,
            session_id,
            supplier_id,
            amount=debit.amount,
            left=left,
            reference=reference,
            person_id=person_id,
        ).id
    else:
        values["payment_id"] = record_given_back(
            tx,
            enterprise_id=enterprise_id,
            order_id=subject,
            method=METHOD,
            amount=debit.amount,
            person_id=person_id,
            allowed=(METHOD,),
            reference=reference,
            key=f"bank_transfer:{debit.id}:{debit.payment_id or ''}",
        ).id
    _settle(tx, enterprise_id, debit_id, values, state="open")
    return debit_by_id(tx, enterprise_id, debit_id)


def _all_answers(tx: Transaction, enterprise_id: str, debit: BankDebit) -> Iterator[DebitMatch]:
    yield from _paid_suppliers(tx, enterprise_id, debit)
    yield from _given_back(tx, enterprise_id, debit)
    yield from _to_suppliers(tx, enterprise_id)
    yield from _refunds(tx, enterprise_id)


def ignore_debit(tx: Transaction, enterprise_id: str, debit_id: str, *, person_id: str) -> BankDebit:
    """Marks an open debit as something else: rent, or what the page of its order has recorded."""
    _open_debit(tx, enterprise_id, debit_id)
    _settle(tx, enterprise_id, debit_id, {"state": "ignored", "settled_by": person_id}, state="open")
    return debit_by_id(tx, enterprise_id, debit_id)


def reopen_debit(tx: Transaction, enterprise_id: str, debit_id: str, *, person_id: str) -> BankDebit:
    """Makes a decided debit wait again; what was recorded with it is taken back by an opposite entry."""
    debit = debit_by_id(tx, enterprise_id, debit_id)
    if debit.state == "open":
        raise Conflict("open", "Nobody has decided about this transfer yet.")
    values: Row = {"state": "open", "supplier_payment_id": None, "settled_by": None, "recorded": False}
    _settle(tx, enterprise_id, debit_id, values, state=debit.state)  # the refund stays named: the next has a new key
    if debit.recorded and debit.payment_id is not None:
        correct_payment(tx, enterprise_id, debit.payment_id, person_id=person_id)
    elif debit.recorded and debit.supplier_payment_id is not None:
        paid = next(
            each
            for each in payments_of_amount(tx, enterprise_id, debit.amount, limit=1000)
            if each.id == debit.supplier_payment_id
        )
        left = account_of(tx, enterprise_id, paid.session_id, paid.supplier_id).left
        pay_supplier(
            tx,
            enterprise_id,
            paid.session_id,
            paid.supplier_id,
            amount=-debit.amount,
            left=left,
            reference=paid.reference,
            person_id=person_id,
        )
    return replace(debit, state="open", supplier_payment_id=None, settled_by=None, recorded=False)


def _open_debit(tx: Transaction, enterprise_id: str, debit_id: str) -> BankDebit:
    debit = debit_by_id(tx, enterprise_id, debit_id)
    if debit.state != "open":
        raise Conflict("settled", "Somebody has decided about this transfer already.")
    return debit


def _settle(tx: Transaction, enterprise_id: str, debit_id: str, values: Row, *, state: str) -> None:
    """Changes a debit in this state, once. Raises `Conflict` for the second of two people."""
    is_it = (_debit.enterprise_id == enterprise_id, _debit.id == debit_id, _debit.state == state)
    if tx.execute(update(debit_row).where(*is_it).values(**values)).rowcount != 1:
        raise Conflict("settled", "Somebody has decided about this transfer already.")
