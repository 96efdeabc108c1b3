"""Compares balances with the ledger, from which only changes by hand in the database can part them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from commensal import DataSubject, Problem, Refused, Transaction, enterprises_by_id, hookimpl

from .tables import account_balance, account_entry


@hookimpl
def invariants(tx: Transaction) -> Sequence[Problem]:
    """A problem for each account whose balance is not the sum of its ledger."""
    entry, account = account_entry.c, account_balance.c
    ledger = (
        select(func.coalesce(func.sum(entry.amount), 0))
        .where(entry.enterprise_id == account.enterprise_id, entry.customer_id == account.customer_id)
        .scalar_subquery()
    )
    query = select(
        account.enterprise_id, account.customer_id.label("customer"), account.balance, ledger.label("ledger")
    )
    text = "The account of customer {customer} is at {balance}, but its ledger adds up to {ledger}."
    return [
        Problem("balance", text, row["enterprise_id"], {name: row[name] for name in ("customer", "balance", "ledger")})
        for row in tx.all(query.where(account.balance != ledger))
    ]


# Keeps accounts that are not at zero: their person is not erased, and their shop does not switch the plugin off.

_account = account_balance.c


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Keeps the ledger, as bookkeeping requires; the core blanks its notes. Raises `Refused` for an open balance."""
    statement = select(_account.enterprise_id).where(
        _account.customer_id.in_(person.customer_ids), _account.balance != 0
    )
    row = tx.first(statement)
    if row is not None:
        shop = enterprises_by_id(tx, [row["enterprise_id"]])[row["enterprise_id"]]
        raise Refused("account_open", "The account at {shop} is not at zero; settle it first.", shop=shop.name)


@hookimpl
def switched_off(tx: Transaction, enterprise_id: str) -> None:
    """Raises `Refused` for open balances: customers could neither spend what they have nor see what they owe."""
    query = select(func.count()).where(_account.enterprise_id == enterprise_id, _account.balance != 0)
    if open_accounts := tx.value(query):
        text = "Accounts that are not at zero: {number}. Pay out what customers have, and collect what they owe, first."
        raise Refused("accounts_open", text, number=open_accounts)
