"""Compares balances with the ledger, from which only changes by hand in the database can part them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from commensal import Problem, Transaction, hookimpl

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
