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
    amount = _balance(tx, order, settings, language)
    if not amount:
        return []
    line = PageLine(text=translate(language, "{amount} on the account").format(amount=amount))
    return [PagePart(title=translate(language, "Account"), lines=[line])]


@hookimpl
def mail_placeholders() -> Mapping[str, str]:
    return {_BALANCE: "what is on the customer's account"}


@hookimpl
def placeholder_values(
    tx: Transaction, order: Order, names: frozenset[str], settings: Settings, language: str
) -> Mapping[str, str]:
    return {_BALANCE: _balance(tx, order, settings, language)} if _BALANCE in names else {}


def _balance(tx: Transaction, order: Order, settings: Settings, language: str) -> str:
    """What is on the account of the order's customer, in words; "" without an account, and of nobody who is proved."""
    if order.customer_id is None:
        return ""
    try:
        balance = account_of(tx, order.enterprise_id, order.customer_id).balance
    except NotFound:
        return ""
    return settings.as_text(balance, order.currency, language)
