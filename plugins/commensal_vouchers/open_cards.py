"""Keeps the plugin on while customers would lose something: money on gift cards, or a card that they have ordered."""

from __future__ import annotations

from sqlalchemy import func, select

from commensal import Refused, Transaction, hookimpl

from .tables import vouchers_sale, vouchers_voucher

_card, _sale = vouchers_voucher.c, vouchers_sale.c


@hookimpl
def switched_off(tx: Transaction, enterprise_id: str) -> None:
    """Raises `Refused` for cards in use with money on them, and for cards of orders that are not paid yet."""
    in_use = (_card.enterprise_id == enterprise_id, _card.balance > 0, _card.archived_at.is_(None))
    ordered = (_sale.enterprise_id == enterprise_id, _sale.order_id.is_not(None), _sale.card_id.is_(None))
    number = int(tx.value(select(func.count()).where(*in_use))) + int(tx.value(select(func.count()).where(*ordered)))
    if number:
        text = "Gift cards that people have or have ordered: {number}. Settle them first: what is on them is theirs."
        raise Refused("cards_open", text, number=number)
