"""Splits an amount over parts in proportion to their weights: whole minor units, and not one too many or too few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")


def in_proportion(amount: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """`amount` split by the method of the largest remainder; equal remainders go by the order of the weights.

    An amount that is no more than the weights together gives no part more than its weight. Without any weight there is
    nothing to split over, and nothing is given.
    """
    whole = sum(weights.values())
    if whole <= 0:
        return {}
    shares = {key: divmod(amount * weight, whole) for key, weight in weights.items()}
    missing = amount - sum(share for share, _ in shares.values())
    lucky = sorted(shares, key=lambda key: -shares[key][1])[:missing]
    return {key: share + (key in lucky) for key, (share, _) in shares.items()}
