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
    "a_line_follows_todays_price": 18,
    "a_lower_grant_is_believed": 5,
    "a_message_for_somebody_else_is_taken": 0,
    "a_message_from_a_clock_that_is_wrong_is_refused_for_ever": 47,
    "a_message_that_came_is_done_again": 0,
    "a_payment_that_is_noted_twice_counts_twice": 0,
    "a_refund_that_is_noted_twice_counts_twice": 52,
    "a_restored_hub_orders_anew": 11,
    "a_restored_instance_goes_on_in_its_old_epoch": 115,
    "an_answer_counts_twice": 37,
    "an_older_revision_of_an_item_counts": 1,
    "an_older_word_of_the_hub_counts": 21,
    "an_unknown_member_is_refused": 1,
    "an_unknown_type_is_taken_for_nothing": 8,
    "an_order_is_confirmed_whatever_is_leased": 2,
    "customers_are_not_cut": 20,
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
    "answers_are_not_passed_back": ("a hub passes orders on", 20),
    "late_sales_are_granted_twice": ("units are taken back by force", 2),
    "messages_are_given_up_after_five_minutes": ("instances are cut off for minutes", 0),
    "silence_counts_as_delivered": ("requests and answers get lost", 0),
    "the_breaker_never_closes": ("instances are cut off for minutes", 1),
}

# Schedules of lies that the suite tries, and seeds by which 150 of them find each planted bug; see `lies.py`.
LIES = int(os.environ.get("COMMENSAL_TEST_LIES", "60"))
CAUGHT_BY_LIES: Mapping[str, int] = {
    "a_confirmed_order_ends_by_the_hubs_word": 3,
    "a_confirmed_order_shrinks_by_the_hubs_word": 3,
    "a_first_answer_counts_whenever_it_comes": 4,
    "an_allowance_has_no_end": 3,
    "what_a_producer_weighed_is_owed": 3,
}

# Bugs that no schedule has shown yet, and the test in tests/federation that fails by them.
FOUND_BY_TEST: Mapping[str, str] = {
    "a_changed_sale_is_never_followed": (
        "test_proposals.py::test_a_hub_that_accepts_sales_automatically_follows_a_changed_one"
    ),
    "a_hub_may_hold_a_whole_lot_unsold": (
        "test_waiting_customers.py::test_a_hub_holds_half_of_a_lot_unsold_at_most_and_more_when_it_sells"
    ),
    "a_part_is_granted_of_what_is_not_enough": "test_waiting_customers.py::test_no_more_is_called_back_than_is_needed",
    "a_probe_sends_nothing_of_what_waits": "test_waiting_customers.py::test_a_person_has_a_peer_tried_now",
    "a_recall_takes_what_is_reserved": "test_leases.py::test_what_is_reserved_is_never_given_back",
    "a_refused_grant_stays_offered": (
        "test_trade.py::test_a_grant_to_a_hub_that_does_not_exist_is_refused_with_the_reason"
    ),
    "a_request_may_name_another_sender": "test_peers.py::test_nobody_asks_in_the_name_of_another_instance",
    "a_restore_bars_nothing": (
        "test_restored_lots.py::test_what_a_hub_was_granted_after_the_backup_is_sold_to_nobody_else"
    ),
    "a_restored_hub_sells_on_its_old_counts": (
        "test_found_by_schedules.py::test_a_restored_hub_that_reports_under_a_number_given_before_reports_again"
    ),
    "a_restored_lender_forgets_what_it_granted": (
        "test_restored_lots.py::test_a_machine_that_was_rolled_back_hears_of_it_when_it_starts"
    ),
    "an_answer_to_an_older_word_counts": (
        "test_found_by_schedules.py::test_an_answer_to_an_older_word_is_given_again_to_the_newer"
    ),
    "an_older_report_is_believed": "test_leases.py::test_reports_in_any_order_and_any_number_come_to_the_same",
    "an_older_statement_of_a_producer_counts": (
        "test_provenance.py::test_an_older_statement_of_the_producer_is_not_believed_after_a_newer_one"
    ),
    "anybody_may_lease_any_lot": "test_leases.py::test_whose_grant_was_taken_back_gets_nothing_that_it_wanted_before",
    "customers_are_cut_by_what_was_told_and_not_by_what_is": (
        "test_found_by_schedules.py::test_what_is_ordered_beyond_an_answer_needs_another"
    ),
    "customers_do_not_wait_for_what_is_called_back": (
        "test_waiting_customers.py::test_what_two_instances_away_is_free_comes_within_the_customers_patience"
    ),
    "late_sales_are_overlooked": "test_doubts.py::test_more_sold_than_was_leased_is_told_to_a_person",
    "new_keys_are_not_made_for_lost_ones": (
        "test_lost_keys.py::test_with_the_root_key_on_paper_peers_follow_the_new_keys_by_themselves"
    ),
    "nobody_hears_that_an_instance_has_started": (
        "test_waiting_customers.py::test_who_starts_again_says_hello_and_gets_what_waits_for_it"
    ),
    "nobody_is_mailed_about_a_grant_that_is_offered": (
        "test_notices.py::test_owners_of_a_hub_read_that_a_producer_offers_its_goods"
    ),
    "nobody_is_mailed_about_a_peer_that_is_away": (
        "test_operator_notices.py::test_a_peer_that_does_not_answer_for_an_hour_is_told_to_operators_and_to_the_hub_that_sells_its_goods"
    ),
    "nobody_is_mailed_about_an_order_that_waits": "test_notices.py::test_a_producer_reads_that_a_complete_order_waits",
    "nobody_is_mailed_about_orders_that_are_left_to_settle": (
        "test_operator_notices.py::test_who_is_revoked_reads_it_with_what_is_left_to_settle"
    ),
    "nobody_is_mailed_about_what_comes_short": "test_notices.py::test_a_hub_reads_whose_orders_shrink_and_what_it_owes",
    "nobody_minds_the_end_of_a_lease": "test_trade.py::test_a_hub_that_is_cut_off_stops_selling_before_its_lease_ends",
    "notes_of_changes_are_dropped_too_early": (
        "test_instance_orders.py::test_a_sum_that_a_dying_worker_did_not_send_is_sent_by_the_next"
    ),
    "nothing_is_called_back": "test_leases.py::test_idle_units_are_called_back_for_whoever_is_short",
    "requests_of_strangers_displace_none": "test_peers.py::test_the_oldest_unanswered_request_gives_way_to_a_new_one",
    "requests_outlive_the_customers_who_waited": (
        "test_waiting_customers.py::test_requests_of_customers_who_left_move_nothing_when_the_link_is_back"
    ),
    "scales_find_more_than_was_granted_and_it_is_given_back": (
        "test_found_by_schedules.py::test_what_scales_have_found_beyond_a_lease_is_not_given_back"
    ),
    "the_barrier_ends_with_the_first_peer_that_recovers": (
        "test_restored_lots.py::test_what_a_hub_was_granted_after_the_backup_is_sold_to_nobody_else"
    ),
    "time_alone_gives_units_back": "test_leases.py::test_time_alone_gives_nothing_back",
    "two_leases_of_one_lot_take_one_address": (
        "test_moving_diamond.py::test_what_came_by_two_ways_goes_on_by_the_producers_own"
    ),
    "what_comes_early_is_refused": (
        "test_protocol_attacks.py::test_33_a_grant_that_overtakes_a_forced_return_waits_for_it"
    ),
    "what_idles_elsewhere_is_not_seen": "test_waiting_customers.py::test_what_idles_elsewhere_is_shown_as_to_be_had",
    "what_is_not_taken_for_now_is_passed_over": (
        "test_found_by_schedules.py::test_messages_of_a_clock_that_was_ahead_are_not_passed_over_for_later_ones"
    ),
    "what_is_ordered_beyond_an_answer_counts_as_answered": (
        "test_found_by_schedules.py::test_an_answer_to_an_older_word_is_given_again_to_the_newer"
    ),
    "what_is_taken_by_force_is_sold_on": (
        "test_leases.py::test_what_a_dead_hub_holds_is_taken_back_and_what_it_sold_meanwhile_goes_to_a_person"
    ),
    "what_will_not_come_is_not_sent_back": (
        "test_instance_orders.py::test_who_ordered_last_gets_less_when_less_will_come"
    ),
    "who_died_while_pushing_keeps_the_lane": "test_delivery.py::test_a_push_whose_worker_died_is_promised_again",
    "who_waits_is_never_served_enough": "test_leases.py::test_who_waits_is_served_once",
    "whoever_gives_back_is_still_served": "test_leases.py::test_who_gives_back_waits_no_more",
    "a_recall_ends_at_a_reseller": (
        "test_idle_behind_resellers.py::test_a_customer_of_another_hub_gets_what_idles_behind_a_reseller"
    ),
    "what_is_lent_on_counts_as_ordered": (
        "test_idle_behind_resellers.py::test_a_reseller_tells_its_lender_what_idles_behind_it"
    ),
    "whoever_calls_is_not_tried_sooner": (
        "test_waiting_customers.py::test_whoever_calls_after_an_outage_has_its_answers_at_once_whatever_was_planned"
    ),
}
