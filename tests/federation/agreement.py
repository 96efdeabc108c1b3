"""Do two instances that trade say the same of it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from commensal.operations.checks.invariants import broken_invariants
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.leases.tables import federation_lease
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.tables import federation_order_due

from .trading import Hub, Place, Producer

_TOLD = ("epoch", "granted", "report", "seen", "returned", "held", "sold")
_lease, _out, _in = federation_lease.c, federation_outbox.c, federation_inbox.c


def differences(farm: Producer, hub: Hub) -> list[str]:
    """Where they do not, or what is still under way between them."""
    return [*_under_way(farm, hub), *_under_way(hub, farm), *_of_leases(farm, hub), *_of_orders(farm, hub)]


def broken(*places: Place) -> list[str]:
    """What is wrong with the books of each."""
    found = []
    for place in places:
        with place.read() as tx:
            found += [f"{place.at}: {violation}" for violation in broken_invariants(tx)]
    return found


def _under_way(one: Place, other: Place) -> Iterator[str]:
    """Messages that are not delivered or not handled, and orders that are not told. A wish for stock that has come too
    late is no difference: whoever still wants it has asked again."""
    peer = one.region.peer(one.at, other.at).id
    with one.read() as tx:
        for row in tx.all(select(_out.type, _out.state, _out.error).where(_out.peer_id == peer)):
            if row["state"] != "delivered" and not row["error"].startswith("expired:"):
                yield f"{one.at} to {other.at}: {row['type']} {row['state']} {row['error']}"
        for row in tx.all(select(_in.type, _in.state, _in.error).where(_in.peer_id == peer)):
            if row["state"] != "done" and not row["error"].startswith("expired:"):
                yield f"{one.at} from {other.at}: {row['type']} {row['state']} {row['error']}"
        if tx.first(select(federation_order_due)) is not None:
            yield f"{one.at} has sums of orders to tell"


def _of_leases(farm: Producer, hub: Hub) -> Iterator[str]:
    lent, held = _leases(farm, hub, "lender"), _leases(hub, farm, "holder")
    if set(lent) != set(held):
        yield f"{farm.at} and {hub.at} do not know the same leases"
        return
    for lot, here in lent.items():
        for name in _TOLD:
            if here[name] != held[lot][name]:
                yield f"{lot}: {name} is {here[name]} at {farm.at} and {held[lot][name]} at {hub.at}"
        if here["seen"] != here["granted"]:
            yield f"{hub.at} has seen {here['seen']} of {here['granted']} that were granted"
    stock = hub.lot(farm)
    there = (stock.free + stock.reserved + stock.lent) * stock.per_unit
    if sum(row["held"] for row in lent.values()) != there:
        yield f"{hub.at} holds {there}, and has told other figures"


def _leases(one: Place, other: Place, role: str) -> dict[str, Any]:
    """By the lot where the goods are."""
    mine = (_lease.role == role, _lease.peer_id == one.region.peer(one.at, other.at).id)
    with one.read() as tx:
        return {row["lot_iri"]: row for row in tx.all(select(federation_lease).where(*mine))}


def _of_orders(farm: Producer, hub: Hub) -> Iterator[str]:
    said, heard = _orders(hub), _orders(farm)
    for iri, order in said.items():
        if order != heard.get(iri):
            yield f"{hub.at} orders {order}, and {farm.at} has {heard.get(iri)}"


def _orders(place: Place) -> dict[str, Any]:
    with place.read() as tx:
        return {
            order.iri: (order.state, order.rev, order.answer, [(line.item_iri, line.quantity) for line in order.lines])
            for order in orders_of(tx, place.id)
        }
