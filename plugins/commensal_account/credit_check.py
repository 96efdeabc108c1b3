"""Refuses orders to be paid by account that the account cannot pay."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import NotFound, OrderDraft, Problem, Transaction, hookimpl, owed_by_customer

from .accounts import Account, account_of, has_moved
from .settings import Settings

METHOD = "account:account"
_WHERE = "/payment_method"


@hookimpl
def order_problems(
    tx: Transaction, order: OrderDraft, total: int, before: int, settings: Settings
) -> Sequence[Problem] | None:
    """Counts what other orders of this customer still owe to the account. The account is locked, so that two
    simultaneous orders do not count on the same money.
    """
    if order.payment_method != METHOD or total <= before:
        return None
    try:
        account = account_of(tx, order.enterprise_id, order.customer_id or "", lock=True)
    except NotFound:
        return [Problem("no_account", "You have no account at this shop.", _WHERE)]
    owed = owed_by_customer(
        tx, order.enterprise_id, account.customer_id, METHOD, lambda payment_id: has_moved(tx, payment_id)
    )
    needed = settings.to_account(owed + total - before)
    if account.balance - needed >= floor_of(account, settings):
        return None
    return [balance_low(account, settings, order.currency, order.language)]


def floor_of(account: Account, settings: Settings) -> int:
    """Returns the lowest balance that orders may reach."""
    return settings.minimum if account.minimum is None else account.minimum


def balance_low(account: Account, settings: Settings, currency: str, language: str) -> Problem:
    """Why the account does not pay an order: its balance, and the credit that the shop allows."""
    values = {"balance": settings.as_text(account.balance, currency, language)}
    text = "There is not enough on your account for this order: it holds {balance}."
    floor = floor_of(account, settings)
    if floor < 0:
        values["credit"] = settings.as_text(-floor, currency, language)
        text = (
            "There is not enough on your account for this order: its balance is {balance}, the credit allowed {credit}."
        )
    return Problem("balance_low", text, _WHERE, values)
