"""Seeds that have found something once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# In the real code; what they found is mended, and told without chance in tests/federation/test_found_by_schedules.py.
FOUND: Sequence[int] = (3, 43, 44, 201, 300)

# The seed by which each planted bug was found first.
CAUGHT_BY: Mapping[str, int] = {
    "a_forced_return_keeps_its_epoch": 4,
    "a_grant_says_the_difference": 0,
    "a_lower_grant_is_believed": 1,
}
