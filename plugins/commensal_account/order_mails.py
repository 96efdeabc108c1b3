"""What e-mails about orders say of the account that pays them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commensal import NotFound, Order, PageLine, PagePart, Transaction, hookimpl, translate

from .accounts import account_of
from .settings import Settings

_METHOD = "account:"
_BALANCE = "account_balance"  # in braces, in a text of the hub


@hookimpl
def mail_parts(tx: Transaction, order: Order, settings: Settings, language: str) -> Sequence[PagePart]:
    """What is on the account, if the order is paid from it and its customer is proved."""
    if not order.payment_method.startswith(_METHOD):
        return []
    balance = _balance(tx, order)
    if balance is None:
        return []
    line = PageLine(text=settings.balance_in_words(balance, order.currency, language))
    return [PagePart(title=translate(language, "Account"), lines=[line])]


@hookimpl
def mail_placeholders() -> Mapping[str, str]:
    return {_BALANCE: "what is on the customer's account"}


@hookimpl
def placeholder_values(
    tx: Transaction, order: Order, names: frozenset[str], settings: Settings, language: str
) -> Mapping[str, str]:
    if _BALANCE not in names:
        return {}
    balance = _balance(tx, order)
    return {_BALANCE: "" if balance is None else settings.as_text(balance, order.currency, language)}


def _balance(tx: Transaction, order: Order) -> int | None:
    """What is on the account of the order's customer; None without an account, and if nobody is proved."""
    if order.customer_id is None:
        return None
    try:
        return account_of(tx, order.enterprise_id, order.customer_id).balance
    except NotFound:
        return None
