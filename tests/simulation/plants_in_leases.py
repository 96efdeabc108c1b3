"""Bugs of leases, at the lender and at the holder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from commensal.parts.copies.lending import settle_lent
from commensal.stock import lots_by_id, take
from commensal_federation.delivery.inbox import receiving
from commensal_federation.dfc.iris import local_id
from commensal_federation.grants.tables import federation_lease
from commensal_federation.handlers import HANDLERS, TYPES
from commensal_federation.leases import handlers as lease_handlers
from commensal_federation.leases import holder, lender, upkeep
from commensal_federation.leases.row import lease_by_id, lease_with, set_lease
from commensal_federation.serving import answer

from . import people
from .planting import now, put, put_handler

_lease = federation_lease.c


def a_grant_says_the_difference(stack: ExitStack) -> None:
    tell = lender._tell_grant

    def tell_difference(federation: Any, tx: Any, lease: Any, in_reply_to: Any) -> None:
        row = lease.row._replace(granted=max(0, lease.row.granted - lease.row.seen))
        tell(federation, tx, replace(lease, row=row), in_reply_to)

    put(stack, lender, "_tell_grant", tell_difference)


def an_older_report_is_believed(stack: ExitStack) -> None:
    take_report = now(lease_handlers, "take_report")

    def take_as_newer(federation: Any, tx: Any, peer: Any, lot_id: str, report: Any) -> None:
        lease = lease_with(tx, "lender", peer.id, lot_id=lot_id)
        newer = report if lease is None else replace(report, report=max(report.report, lease.row.report + 1))
        take_report(federation, tx, peer, lot_id, newer)

    put(stack, lease_handlers, "take_report", take_as_newer)


def what_is_lent_on_counts_as_ordered(stack: ExitStack) -> None:
    def all_of_it(tx: Any, lease: Any) -> int:
        return int(lease.grains(lease.lot.reserved + lease.lot.lent))

    put(stack, holder, "ordered_here", all_of_it)


def a_recall_ends_at_a_reseller(stack: ExitStack) -> None:
    put(stack, holder, "recall", lambda federation, tx, lot_id, missing, **_: 0)


def whoever_calls_is_not_tried_sooner(stack: ExitStack) -> None:
    put(stack, receiving, "retry_soon", lambda tx, peer: None)
    put(stack, answer, "retry_soon", lambda tx, peer: None)


def time_alone_gives_units_back(stack: ExitStack) -> None:
    mind = upkeep.enqueue_upkeep

    def free_after_end(tx: Any) -> None:
        ended = select(_lease.id).where(_lease.role == "lender", _lease.until <= tx.now)
        for row in tx.all(ended):
            lease = lease_by_id(tx, row["id"])
            if settle_lent(tx, lease.row.lot_id, back=lease.outstanding):
                set_lease(tx, lease, returned=lease.row.returned + lease.outstanding, seen=lease.row.granted, held=0)
        mind(tx)

    put(stack, upkeep, "enqueue_upkeep", free_after_end)


def a_forced_return_keeps_its_epoch(stack: ExitStack) -> None:
    setting = now(lender, "set_lease")

    def set_in_same_epoch(tx: Any, lease: Any, **values: Any) -> Any:
        values.pop("epoch", None)
        return setting(tx, lease, **values)

    put(stack, lender, "set_lease", set_in_same_epoch)


def late_sales_are_overlooked(stack: ExitStack) -> None:
    put(stack, lender, "_late", lambda *_: 0)


def late_sales_are_granted_twice(stack: ExitStack) -> None:
    def accept_late(federation: Any, tx: Any, lease_id: str) -> bool:
        lease = lease_by_id(tx, lease_id)
        if lease.row.late > lease.free:
            return False
        lease = set_lease(tx, lender._grant(tx, lease, lease.row.late), late=0)
        lender._tell_grant(federation, tx, lease, None)
        return True

    put(stack, people, "accept_late", accept_late)


def whoever_gives_back_is_still_served(stack: ExitStack) -> None:
    want = lender.set_waiting

    def wait_only_for_more(tx: Any, lease: Any, grains: int) -> None:
        if grains:
            want(tx, lease, grains)

    put(stack, lender, "set_waiting", wait_only_for_more)


def scales_find_more_than_was_granted_and_it_is_given_back(stack: ExitStack) -> None:
    report = now(holder, "report")

    def report_and_return(federation: Any, tx: Any, lease: Any) -> None:
        if lease.free and lease.row.granted == lease.row.returned + lease.lot.sold * lease.lot.per_unit:
            lease = set_lease(tx, lease, returned=lease.row.returned + lease.free)
        report(federation, tx, lease)

    put(stack, holder, "report", report_and_return)


def who_waits_is_never_served_enough(stack: ExitStack) -> None:
    serve = lender.serve_waiting

    def serve_and_wait_again(federation: Any, tx: Any, lot_id: str) -> None:
        waiting = select(_lease.id, _lease.wanted, _lease.wanted_at).where(_lease.lot_id == lot_id, _lease.wanted > 0)
        waiting_before = tx.all(waiting)
        serve(federation, tx, lot_id)
        for row in waiting_before:
            set_lease(tx, lease_by_id(tx, row["id"]), wanted=row["wanted"], wanted_at=row["wanted_at"])

    put(stack, lender, "serve_waiting", serve_and_wait_again)


def anybody_may_lease_any_lot(stack: ExitStack) -> None:
    def lendable_lot(federation: Any, tx: Any, peer: Any, lot_iri: str) -> Any:
        id = local_id(federation.base, lot_iri, "stocks") or ""
        return lots_by_id(tx, [id])[id]

    put(stack, lease_handlers, "lendable_lot", lendable_lot)


def what_is_reported_as_sold_is_not_noted(stack: ExitStack) -> None:
    settle = now(lender, "settle_lent")

    def settle_without_sold(tx: Any, lot_id: str, *, sold: int = 0, **kwargs: Any) -> Any:
        return settle(tx, lot_id, sold=0, **kwargs)

    put(stack, lender, "settle_lent", settle_without_sold)


def a_grant_that_comes_twice_is_taken_twice(stack: ExitStack) -> None:
    take_grant = HANDLERS[TYPES["LeaseGrant"]].handle

    def take_twice(federation: Any, tx: Any, received: Any) -> None:
        lease = lease_with(tx, "holder", received.peer.id, lot_iri=received.body.lot)
        take_grant(federation, tx, received)
        if lease is not None and lease.grains(received.body.granted) == lease.row.granted:
            now(holder, "lease_in")(tx, lease.row.lot_id, lease.row.granted // 2)

    put_handler(stack, "LeaseGrant", handle=take_twice)


def a_lower_grant_is_believed(stack: ExitStack) -> None:
    take_grant = HANDLERS[TYPES["LeaseGrant"]].handle

    def take_lower(federation: Any, tx: Any, received: Any) -> None:
        take_grant(federation, tx, received)
        lease = lease_with(tx, "holder", received.peer.id, lot_iri=received.body.lot)
        if lease is not None and received.body.epoch == lease.row.epoch:
            set_lease(tx, lease, granted=lease.grains(received.body.granted))

    put_handler(stack, "LeaseGrant", handle=take_lower)


def units_are_given_back_and_kept(stack: ExitStack) -> None:
    lease_in = now(holder, "lease_in")

    def keep_units(tx: Any, lot_id: str, grains: int, *, note: str = "") -> bool:
        return True if note == "given back" else lease_in(tx, lot_id, grains, note=note)

    put(stack, holder, "lease_in", keep_units)


def what_was_given_back_is_not_told(stack: ExitStack) -> None:
    give_back = holder.give_back

    def give_back_untold(federation: Any, tx: Any, lease: Any, grains: int) -> None:
        returned_before = lease.row.returned
        give_back(federation, tx, lease, grains)
        set_lease(tx, lease, returned=returned_before)

    put(stack, holder, "give_back", give_back_untold)


def a_recall_takes_what_is_reserved(stack: ExitStack) -> None:
    def handle_recall(federation: Any, tx: Any, received: Any) -> None:
        lease = lease_with(tx, "holder", received.peer.id, lot_iri=received.body.lot)
        if lease is not None:
            held = lease.grains(lease.lot.free + lease.lot.reserved)
            given_back = min(lease.grains(received.body.wanted), held)
            now(holder, "lease_in")(tx, lease.row.lot_id, -min(given_back, lease.free), note="given back")
            holder.report(federation, tx, set_lease(tx, lease, returned=lease.row.returned + given_back))

    put_handler(stack, "LeaseRecall", handle=handle_recall)


def nobody_minds_the_end_of_a_lease(stack: ExitStack) -> None:
    put(stack, take, "_has_ended", lambda tx, lot: False)


def what_is_taken_by_force_is_sold_on(stack: ExitStack) -> None:
    lease_in = now(holder, "lease_in")

    def keep_units(tx: Any, lot_id: str, grains: int, *, note: str = "") -> bool:
        return True if note == "taken back by force" else lease_in(tx, lot_id, grains, note=note)

    put(stack, holder, "lease_in", keep_units)


def a_restored_hub_sells_on_its_old_counts(stack: ExitStack) -> None:
    put_handler(stack, "LeaseReport", recover=None)


def a_restored_lender_forgets_what_it_granted(stack: ExitStack) -> None:
    put_handler(stack, "LeaseGrant", recover=None)


def a_restored_hub_orders_anew(stack: ExitStack) -> None:
    put_handler(stack, "OrderUpdate", recover=None)
