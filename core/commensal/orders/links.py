"""Links that plugins add to the page of an order."""

from __future__ import annotations

from collections.abc import Sequence

from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import MenuItem
from ..storage.database import Transaction
from .values import Order


def order_links(tx: Transaction, hooks: Hooks, order: Order, page: str, language: str) -> Sequence[MenuItem]:
    """Returns the plugins' links by position; `page` is the path of the order's page for this reader."""
    answers = hooks.each(
        specifications.order_links,
        enabled_plugins(tx, order.enterprise_id),
        tx=tx,
        order=order,
        page=page,
        language=language,
    )
    return sorted((link for answer in answers for link in answer.value or ()), key=lambda link: link.position)
