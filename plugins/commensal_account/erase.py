"""Refuses to erase a person whose account is not at zero."""

from __future__ import annotations

from sqlalchemy import select

from commensal import DataSubject, Refused, Transaction, enterprises_by_id, hookimpl

from .tables import account_balance


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Keeps the ledger, as bookkeeping requires; the core blanks its notes. Raises `Refused` for an open balance."""
    account = account_balance.c
    statement = select(account.enterprise_id).where(account.customer_id.in_(person.customer_ids), account.balance != 0)
    row = tx.first(statement)
    if row is not None:
        shop = enterprises_by_id(tx, [row["enterprise_id"]])[row["enterprise_id"]]
        raise Refused("account_open", "The account at {shop} is not at zero; settle it first.", shop=shop.name)
