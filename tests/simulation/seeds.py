"""The number of schedules that the suite runs, and the seeds that find planted bugs.

Failures that schedules found in the real code are replayed in tests/federation/test_found_by_schedules.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# Seeds from 0 on. Each hundred are 40 s of processor time, so a run that must be over soon asks for fewer.
SCHEDULES = int(os.environ.get("COMMENSAL_TEST_SCHEDULES", "1000"))

# A seed by which each planted bug is found. Those that drawn schedules seldom meet are in `AIMED_AT`.
CAUGHT_BY: Mapping[str, int] = {
    "a_complete_order_grows_by_itself": 0,
    "a_grant_says_the_difference": 0,
    "a_grant_that_comes_twice_is_taken_twice": 13,
    "a_line_follows_todays_price": 2,
    "a_lower_grant_is_believed": 5,
    "a_message_for_somebody_else_is_taken": 0,
    "a_message_from_a_clock_that_is_wrong_is_refused_for_ever": 47,
    "a_message_that_came_is_done_again": 0,
    "a_payment_that_is_noted_twice_counts_twice": 0,
    "a_refund_that_is_noted_twice_counts_twice": 32,
    "a_restored_hub_orders_anew": 62,
    "a_restored_instance_goes_on_in_its_old_epoch": 19,
    "an_answer_counts_twice": 37,
    "an_older_revision_of_an_item_counts": 1,
    "an_older_word_of_the_hub_counts": 1,
    "an_unknown_member_is_refused": 1,
    "an_unknown_type_is_taken_for_nothing": 8,
    "an_order_is_confirmed_whatever_is_leased": 0,
    "customers_are_not_cut": 8,
    "jobs_of_the_dead_are_not_taken_up": 4,
    "nobody_is_mailed_about_a_broken_rule": 0,
    "lines_that_come_after_the_close_are_confirmed": 0,
    "the_close_is_not_told": 0,
    "the_proof_is_not_checked": 0,
    "units_are_given_back_and_kept": 0,
    "what_is_reported_as_sold_is_not_noted": 8,
    "what_was_given_back_is_not_told": 0,
    "what_was_hidden_stays_listed": 1,
}

# The situation in which a bug shows, and a seed by which it is found there.
AIMED_AT: Mapping[str, tuple[str, int]] = {
    "a_forced_return_keeps_its_epoch": ("units are taken back by force", 0),
    "a_hub_goes_on_selling_when_its_grant_has_ended": ("rights are taken back", 0),
    "messages_are_given_up_after_five_minutes": ("instances are cut off for minutes", 0),
    "silence_counts_as_delivered": ("requests and answers get lost", 0),
    "the_breaker_never_closes": ("instances are cut off for minutes", 1),
}
