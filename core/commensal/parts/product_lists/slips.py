"""Finds prices that look like a slip of the hand: none at all, or the point at another place."""

from __future__ import annotations

from dataclasses import dataclass

from ...base.hidden_fields import Amount

_TIMES = 10  # a point that is forgotten or misplaced makes a price ten times larger or smaller, or more


@dataclass(frozen=True, kw_only=True)
class PriceSlip:
    """A price that somebody should confirm. Amounts are minor units for one piece; `before` is None for new goods.

    item_id: "" for goods that are not listed yet
    """

    item_id: str
    name: str
    before: Amount | None
    after: Amount


def is_slip(before: int | None, after: int) -> bool:
    """Whether a new price is 0, or at least ten times more or less than the one before (None: there was none)."""
    if after == before:
        return False
    if not after or not before:
        return not after
    return after >= before * _TIMES or after * _TIMES <= before
