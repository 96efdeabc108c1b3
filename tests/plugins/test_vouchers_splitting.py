"""A discount is split over rates of VAT to the cent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from commensal_vouchers.proportion import in_proportion


@given(some.integers(0, 10**9), some.dictionaries(some.integers(0, 9), some.integers(0, 10**7), min_size=1, max_size=6))
def test_a_split_adds_up_and_gives_nobody_more_than_a_unit_too_much(amount: int, weights: dict[int, int]) -> None:
    shares, total_weight = in_proportion(amount, weights), sum(weights.values())
    if not total_weight:
        assert shares == {}
        return
    assert sum(shares.values()) == amount
    for key, weight in weights.items():
        assert abs(shares[key] * total_weight - amount * weight) < total_weight
        if amount <= total_weight:
            assert 0 <= shares[key] <= weight
