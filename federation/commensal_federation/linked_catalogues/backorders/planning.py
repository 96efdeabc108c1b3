"""What has to be ordered so that customers get what they have ordered: pieces become whole cases."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor


def cases_for(pieces: int, per_case: Fraction) -> int:
    """The fewest cases that hold so many pieces, each `per_case` of them."""
    return ceil(pieces / per_case)


def pieces_in(cases: int, per_case: Fraction) -> int:
    """Whole pieces in so many cases; part of a piece is sold to nobody."""
    return floor(cases * per_case)


def surplus(pieces: int, cases: int, per_case: Fraction) -> int:
    """Pieces that come and that nobody has ordered."""
    return max(0, pieces_in(cases, per_case) - pieces)


def allotted(cases: int, wanted: Sequence[int]) -> list[int]:
    """Who gets how many of `cases` that come, where several lines want cases of one offer; the first line first."""
    given = []
    for one in wanted:
        given.append(min(cases, one))
        cases -= given[-1]
    return given
