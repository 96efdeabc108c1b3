"""Keeps money on a customer's account that others received for them, such as the rest of a bank transfer."""

from __future__ import annotations

from commensal import Conflict, NotFound, Transaction, enterprise_by_id, hookimpl, translate

from .accounts import account_of, move_balance
from .payments import floor_of
from .settings import Settings


@hookimpl
def credit_target(
    tx: Transaction, settings: Settings, enterprise_id: str, customer_id: str, language: str
) -> str | None:
    """The account with its balance. Money is not kept where accounts count something else, such as hours."""
    if settings.unit:
        return None
    try:
        account = account_of(tx, enterprise_id, customer_id)
    except NotFound:
        return None
    currency = enterprise_by_id(tx, enterprise_id).currency
    text = translate(language, "Account, which holds {balance}")
    return text.format(balance=settings.as_text(account.balance, currency, language))


@hookimpl
def credit_customer(
    tx: Transaction,
    settings: Settings,
    enterprise_id: str,
    customer_id: str,
    amount: int,
    note: str,
    person_id: str | None,
) -> None:
    """Writes an entry: paid in, or a correction that goes no lower than orders may. Raises `NotFound`, `Conflict`."""
    if settings.unit:
        raise Conflict("no_money", "Accounts here count {unit}, and take no money.", unit=settings.unit)
    account = account_of(tx, enterprise_id, customer_id, lock=True)
    move_balance(
        tx,
        enterprise_id,
        customer_id,
        "paid in" if amount > 0 else "correction",
        amount,
        floor=floor_of(account, settings),
        note=note,
        person_id=person_id,
    )
