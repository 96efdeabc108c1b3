"""Which schedules the suite runs, and the seeds that have found something once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The last ones found bugs in the real code, which are told without chance in test_found_by_schedules.py, too.
SCHEDULES: Sequence[int] = (0, 4, 9, 13, 15, 29, 43, 44, 201, 300)

# The seed by which each planted bug was found first.
CAUGHT_BY: Mapping[str, int] = {
    "a_forced_return_keeps_its_epoch": 4,
    "a_grant_says_the_difference": 0,
    "a_grant_that_comes_twice_is_taken_twice": 5,
    "a_line_follows_todays_price": 4,
    "a_lower_grant_is_believed": 1,
    "a_message_for_somebody_else_is_taken": 0,
    "a_message_that_came_is_done_again": 0,
    "a_restored_hub_orders_anew": 29,
    "a_restored_hub_sells_on_its_old_counts": 29,
    "an_answer_counts_twice": 5,
    "an_older_revision_of_an_item_counts": 9,
    "late_sales_are_granted_twice": 1,
    "late_sales_are_overlooked": 13,
}
