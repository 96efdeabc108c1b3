"""The next sum of goods from which an order would cost less, as the shop's plugins say."""

from __future__ import annotations

from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import Threshold
from ...orders.quote import Offered
from ...storage.database import Transaction


def next_threshold(tx: Transaction, hooks: Hooks, offered: Offered, language: str) -> Threshold | None:
    """Returns the threshold of which the quoted order misses least; None if there is none that it has not reached."""
    answers = hooks.each(
        specifications.order_thresholds, offered.shop.plugins, tx=tx, order=offered.quote.draft, language=language
    )
    thresholds = [threshold for answer in answers for threshold in answer.value or () if threshold.missing]
    return min(thresholds, key=lambda threshold: threshold.missing, default=None)
