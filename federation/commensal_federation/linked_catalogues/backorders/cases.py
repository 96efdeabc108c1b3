"""Conversion between the pieces that customers order and the whole cases that the platform sells."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor


def cases_for(pieces: int, per_case: Fraction) -> int:
    """Returns the fewest cases, of `per_case` pieces each, that hold this number of pieces."""
    return ceil(pieces / per_case)


def pieces_in(cases: int, per_case: Fraction) -> int:
    """Returns the whole pieces in this number of cases, rounded down."""
    return floor(cases * per_case)


def surplus(pieces: int, cases: int, per_case: Fraction) -> int:
    """Returns the delivered pieces that nobody has ordered."""
    return max(0, pieces_in(cases, per_case) - pieces)


def allot(cases: int, ordered: Sequence[int]) -> list[int]:
    """Divides delivered cases among lines of one offer, in order: returns the share of each, at most its `ordered`."""
    shares = []
    for share in ordered:
        shares.append(min(cases, share))
        cases -= shares[-1]
    return shares
