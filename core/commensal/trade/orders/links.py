"""What plugins let a customer do with an order besides looking at it: links for its page."""

from __future__ import annotations

from collections.abc import Sequence

from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import MenuItem
from ...storage.database import Transaction
from ..enterprises.plugins import enabled_plugins
from .values import Order


def order_links(tx: Transaction, hooks: Hooks, order: Order, page: str, language: str) -> Sequence[MenuItem]:
    """In the order of their positions; `page` is the path under which this reader sees the order."""
    answers = hooks.each(
        specifications.order_links, enabled_plugins(tx, order.enterprise_id),
        tx=tx, order=order, page=page, language=language,
    )  # fmt: skip
    return sorted((one for answer in answers for one in answer.value or ()), key=lambda link: link.position)
