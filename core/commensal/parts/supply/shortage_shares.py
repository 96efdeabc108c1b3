"""Shares what a supplier does not bring out over the lines of customers."""

from __future__ import annotations

from collections.abc import Sequence

from ..distribution.distribution import CustomersLine
from .policy import Shortage


def shares(lines: Sequence[CustomersLine], missing: int, policy: Shortage) -> list[int]:
    """Returns how many pieces each line loses, of `missing` in all; `lines` have the newest order first.

    "newest first": the latest orders lose everything first. "pro rata": whole parts first, then one more for those
    whose remainder is largest, the newest first. "by hand": no line loses anything.
    """
    if policy == "by hand":
        return [0] * len(lines)
    if policy == "newest first":
        cut, remaining = [], missing
        for line in lines:
            cut.append(min(remaining, line.quantity))
            remaining -= cut[-1]
        return cut
    whole = sum(line.quantity for line in lines)
    if not whole:
        return [0] * len(lines)
    missing = min(missing, whole)
    cut = [line.quantity * missing // whole for line in lines]
    by_remainder = sorted(range(len(lines)), key=lambda index: -(lines[index].quantity * missing % whole))
    for place in by_remainder[: missing - sum(cut)]:
        cut[place] += 1
    return cut
