"""What e-mails about orders say of the account that pays them."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import NotFound, Order, PageLine, PagePart, Transaction, hookimpl, translate

from .accounts import account_of
from .settings import Settings

_METHOD = "account:"


@hookimpl
def mail_parts(tx: Transaction, order: Order, settings: Settings, language: str) -> Sequence[PagePart]:
    """What is on the account, if the order is paid from it and its customer is proved."""
    if order.customer_id is None or not order.payment_method.startswith(_METHOD):
        return []
    try:
        balance = account_of(tx, order.enterprise_id, order.customer_id).balance
    except NotFound:
        return []
    amount = settings.as_text(balance, order.currency, language)
    line = PageLine(text=translate(language, "{amount} on the account").format(amount=amount))
    return [PagePart(title=translate(language, "Account"), lines=[line])]
