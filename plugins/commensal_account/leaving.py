"""Nobody is forgotten while their account holds money, or they owe some."""

from __future__ import annotations

from sqlalchemy import select

from commensal import DataSubject, Refused, Transaction, enterprises_by_id, hookimpl

from .tables import account_balance


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """The ledger stays, since accounts are kept; its notes are blanked by the core. Raises `Refused`."""
    account = account_balance.c
    mine = select(account.enterprise_id).where(account.customer_id.in_(person.customer_ids), account.balance != 0)
    found = tx.first(mine)
    if found is not None:
        shop = enterprises_by_id(tx, [found["enterprise_id"]])[found["enterprise_id"]]
        raise Refused("account_open", "The account at {shop} is not at zero; settle it first.", shop=shop.name)
