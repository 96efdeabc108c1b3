"""Small things of the shop that need no database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commensal_shop.quantities import merge_quantity
from commensal_shop.sale import remaining_time


@pytest.mark.parametrize(
    ("now", "was", "typed", "merged"),
    [
        (0, 0, 2, 2),
        (3, 0, 2, 5),  # another tab has taken three meanwhile
        (2, 0, 2, 2),  # the same request once more
        (5, 3, 2, 4),  # one less than on this page
        (1, 3, 0, 0),  # taken out
        (1, 5, 2, 0),  # both took off: never below nothing
    ],
)
def test_a_quantity_joins_what_the_basket_has_by_now(now: int, was: int, typed: int, merged: int) -> None:
    assert merge_quantity(now, was, typed) == merged


@pytest.mark.parametrize(
    ("hours", "text"), [(72, "3 days"), (61, "2 d 13 h"), (5.34, "5 h 20 min"), (0.2, "12 min"), (-1, "")]
)
def test_the_time_that_is_left_is_said_in_two_units(hours: float, text: str) -> None:
    assert remaining_time(timedelta(hours=hours), "en") == text
