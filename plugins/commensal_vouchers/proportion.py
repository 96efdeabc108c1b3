"""Splits an amount in proportion to weights, into integer minor units that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")


def in_proportion(amount: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Splits `amount` by the largest remainder method; equal remainders go by the order of the weights.

    If the amount does not exceed the sum of the weights, no part exceeds its weight. Returns nothing if all weights are
    zero.
    """
    total_weight = sum(weights.values())
    if total_weight <= 0:
        return {}
    shares = {key: divmod(amount * weight, total_weight) for key, weight in weights.items()}
    missing = amount - sum(share for share, _ in shares.values())
    rounded_up = sorted(shares, key=lambda key: -shares[key][1])[:missing]
    return {key: share + (key in rounded_up) for key, (share, _) in shares.items()}
