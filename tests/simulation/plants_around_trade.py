"""Bugs around trade: in peering, keys, moves, signed statements, and in what people are told."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from commensal_federation.catalogue import away
from commensal_federation.catalogue import grants as catalogue_grants
from commensal_federation.delivery import calling, work
from commensal_federation.identity import rotation
from commensal_federation.leases import lender, on_demand
from commensal_federation.moving import followers
from commensal_federation.moving.followers import PlacedCopies
from commensal_federation.orders import answers, ended
from commensal_federation.peering import deciding, requests, waiting
from commensal_federation.proposals import receiving
from commensal_federation.provenance.verification import OfferCheck

from .planting import nothing, put, put_handler


def requests_outlive_the_customers_who_waited(stack: ExitStack) -> None:
    put(stack, on_demand, "EXPIRES", timedelta(days=7))
    put(stack, calling, "_away", nothing)


def a_hub_may_hold_a_whole_lot_unsold(stack: ExitStack) -> None:
    put(stack, lender, "_percent", lambda lease, share: lease.grains(lease.lot.on_hand + lease.lot.beyond))


def nobody_hears_that_an_instance_has_started(stack: ExitStack) -> None:
    put(stack, work, "enqueue", nothing)


def a_probe_sends_nothing_of_what_waits(stack: ExitStack) -> None:
    put(stack, deciding, "_retry_now", nothing)


def a_request_may_name_another_sender(stack: ExitStack) -> None:
    put(stack, requests, "_confirm", lambda federation, request: request)


def requests_of_strangers_displace_none(stack: ExitStack) -> None:
    put(stack, waiting, "_remove", lambda *_: True)


def a_refused_grant_stays_offered(stack: ExitStack) -> None:
    put_handler(stack, "GrantOffer", failed=nothing)


def two_leases_of_one_lot_take_one_address(stack: ExitStack) -> None:
    """As before both went on: the second lease takes the address of the first."""

    def place_all(tx: Any, mirror: str, base: str, things: Any, renamed: Any, epoch: int) -> PlacedCopies:
        return PlacedCopies(
            {thing.id: followers._iri(base, thing, renamed.get(thing.old_id, thing.old_id)) for thing in things}, ()
        )

    put(stack, followers, "place_copies", place_all)


def a_changed_sale_is_never_followed(stack: ExitStack) -> None:
    put(stack, receiving, "follow_change", lambda *_: False)


def an_older_statement_of_a_producer_counts(stack: ExitStack) -> None:
    put(stack, OfferCheck, "_refuse_older", nothing)


def new_keys_are_not_made_for_lost_ones(stack: ExitStack) -> None:
    put(stack, rotation, "replace_key_in_use", nothing)


def nobody_is_mailed_about_a_peer_that_is_away(stack: ExitStack) -> None:
    put(stack, away, "note_for_operators", nothing)
    put(stack, away, "note_for_enterprise", nothing)


def nobody_is_mailed_about_what_comes_short(stack: ExitStack) -> None:
    put(stack, answers, "note_shortened", nothing)


def nobody_is_mailed_about_a_grant_that_is_offered(stack: ExitStack) -> None:
    put(stack, catalogue_grants, "note_for_enterprise", nothing)


def nobody_is_mailed_about_orders_that_are_left_to_settle(stack: ExitStack) -> None:
    put(stack, ended, "note_unsettled", nothing)
