"""E-mails about sales that have opened without anything on sale."""

from __future__ import annotations

from collections.abc import Sequence

from ...storage.database import Transaction
from ...trade.sale_sessions.questions import count_on_sale, sale_by_id
from .to_enterprise import mail_enterprise


def mail_empty_sales(tx: Transaction, session_ids: Sequence[str]) -> None:
    """Mails the coordinators of those sales without items, so that they hear of it before shoppers complain."""
    if not session_ids:
        return
    items_on_sale = count_on_sale(tx, session_ids)
    empty = [session_id for session_id in session_ids if session_id not in items_on_sale]
    for sale in (sale_by_id(tx, session_id) for session_id in empty):
        values = {"sale": sale.session.name, "shop": sale.shop.name}
        mail_enterprise(tx, sale.session.coordinator_id, "empty_sale", values)
