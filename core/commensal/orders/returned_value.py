"""The value of empties on an order: an adjustment of the core, which a change of the order keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..pricing.totals import totals
from ..pricing.values import Adjustment
from .values import Quote

KIND = "containers_returned"


def is_return(adjustment: Adjustment) -> bool:
    return adjustment.kind == KIND and not adjustment.plugin


def with_returns(quote: Quote, before: Sequence[Adjustment]) -> Quote:
    """Returns the quote with the empties that counted on the order before, as far as they do not exceed its total."""
    returns = [adjustment for adjustment in before if is_return(adjustment)]
    left, counted = quote.totals.total, []
    for adjustment in returns:
        amount = max(adjustment.amount, -left)
        left += amount
        if amount:
            counted.append(replace(adjustment, amount=amount))
    if not counted:
        return quote
    draft = replace(quote.draft, adjustments=(*quote.draft.adjustments, *counted))
    new_totals, at_most = totals(draft), quote.totals.at_most
    if at_most is not None:
        at_most += new_totals.total - quote.totals.total
    return Quote(draft=draft, totals=replace(new_totals, at_most=at_most))
