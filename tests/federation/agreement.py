"""Compares what two trading instances record about their trade."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from commensal.parts.checks.invariants import broken_invariants
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.grants.tables import federation_lease
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.tables import federation_order_due

from .trading import Hub, Place, Producer

_TOLD = ("epoch", "granted", "report", "seen", "returned", "held", "sold")
_lease, _out, _in = federation_lease.c, federation_outbox.c, federation_inbox.c


def differences(farm: Producer, hub: Hub) -> list[str]:
    """Lists where their records differ, and what is still under way between them."""
    return [*_under_way(farm, hub), *_under_way(hub, farm), *_of_leases(farm, hub), *_of_orders(farm, hub)]


def violations_of(*places: Place) -> list[str]:
    """Lists the violated invariants of each enterprise's instance."""
    violations = []
    for place in places:
        with place.read() as tx:
            violations += [f"{place.at}: {violation}" for violation in broken_invariants(tx)]
    return violations


def _under_way(sender: Place, recipient: Place) -> Iterator[str]:
    """Yields messages that are not delivered or not handled, and orders not yet sent. An expired request for stock is
    no difference: the instance has asked again if it still needs it.
    """
    peer = sender.region.peer(sender.at, recipient.at).id
    with sender.read() as tx:
        for row in tx.all(select(_out.type, _out.state, _out.error).where(_out.peer_id == peer)):
            if row["state"] != "delivered" and not row["error"].startswith("expired:"):
                yield f"{sender.at} to {recipient.at}: {row['type']} {row['state']} {row['error']}"
        for row in tx.all(select(_in.type, _in.state, _in.error).where(_in.peer_id == peer)):
            if row["state"] != "done" and not row["error"].startswith("expired:"):
                yield f"{sender.at} from {recipient.at}: {row['type']} {row['state']} {row['error']}"
        if tx.first(select(federation_order_due)) is not None:
            yield f"{sender.at} has sums of orders to tell"


def _of_leases(farm: Producer, hub: Hub) -> Iterator[str]:
    lent, held = _leases(farm, hub, "lender"), _leases(hub, farm, "holder")
    if set(lent) != set(held):
        yield f"{farm.at} and {hub.at} do not know the same leases"
        return
    for lot, lent_row in lent.items():
        for name in _TOLD:
            if lent_row[name] != held[lot][name]:
                yield f"{lot}: {name} is {lent_row[name]} at {farm.at} and {held[lot][name]} at {hub.at}"
        if lent_row["seen"] != lent_row["granted"]:
            yield f"{hub.at} has seen {lent_row['seen']} of {lent_row['granted']} that were granted"
    stock = hub.lot(farm)
    held_quantity = (stock.free + stock.reserved + stock.lent) * stock.per_unit
    if sum(row["held"] for row in lent.values()) != held_quantity:
        yield f"{hub.at} holds {held_quantity}, and has told other figures"


def _leases(place: Place, other: Place, role: str) -> dict[str, Any]:
    """Returns the rows of leases by the IRI of the lot that has the goods."""
    conditions = (_lease.role == role, _lease.peer_id == place.region.peer(place.at, other.at).id)
    with place.read() as tx:
        return {row["lot_iri"]: row for row in tx.all(select(federation_lease).where(*conditions))}


def _of_orders(farm: Producer, hub: Hub) -> Iterator[str]:
    sent, received = _orders(hub, farm, "buyer"), _orders(farm, hub, "supplier")
    for iri, order in sent.items():
        if order != received.get(iri):
            yield f"{hub.at} orders {order}, and {farm.at} has {received.get(iri)}"


def _orders(place: Place, other: Place, role: str) -> dict[str, Any]:
    peer_id = place.region.peer(place.at, other.at).id
    with place.read() as tx:
        return {
            order.iri: (order.state, order.rev, order.answer, [(line.item_iri, line.quantity) for line in order.lines])
            for order in orders_of(tx, place.id)
            if (order.peer_id, order.role) == (peer_id, role)
        }
