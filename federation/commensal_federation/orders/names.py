"""The hub's side of names: whom a producer may know by name, which customers are asked and may take back.

Three must agree: the hub (its setting), the producer's instance (the scope `order.names`, which it gives), and each
customer (a box at the checkout, one for each producer). The order says only in which revision the list has changed; the
list is shown to the producer's instance when it asks, as it is at that moment. So no signed message, which both sides
keep for as long as it may have to be proven, holds a name that must be forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, select

from commensal import (
    AgreedPart,
    ConsentRequest,
    DataSubject,
    NotFound,
    OrderDraft,
    Transaction,
    agreed_parts,
    hookimpl,
    insert_once,
    orders_by_id,
    plugin_settings,
    translate,
)

from ..catalogue.grants import mirror_of
from ..catalogue.tables import federation_grant, federation_mirror
from ..dfc.vocabulary import DfcLine, DfcOrder, DfcQuantity
from ..messages.bodies.orders import InstanceOrder
from ..messages.documents import write_document
from ..peers.tables import federation_peer
from ..peers.values import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from ..signing import canonical
from .cleaning import person_name
from .questions import orders_by
from .tables import federation_order, federation_order_due

SCOPE = "order.names"
MOST = 2000  # customers' parts of one order; whoever ordered later stays unnamed
_order = federation_order.c


@dataclass(frozen=True)
class Named:
    """What names are for: a hub's sale, and the producer's copy here. `begins_at` is the distribution's, UTC."""

    hub: str
    session_id: str
    supplier_id: str
    begins_at: datetime | None


# ------------------------------------------------------------------------------------------------ asking customers


@hookimpl
def consent_requests(
    tx: Transaction, order: OrderDraft, language: str, settings: EnterpriseFederation
) -> Sequence[ConsentRequest] | None:
    """One for each producer elsewhere whose goods are in the order, and whose instance takes names."""
    if not settings.pass_on_names:
        return None
    said = translate(language, "{producer} may learn my name and what I order of it, to label my boxes; nothing else.")
    producers = _takers(tx, order.enterprise_id, {line.supplier_id for line in order.lines})
    return [ConsentRequest(id=id, text=said.format(producer=name)) for id, name in producers.items()]


def _takers(tx: Transaction, hub: str, supplier_ids: Collection[str]) -> Mapping[str, str]:
    grant, mirror, peer = federation_grant.c, federation_mirror.c, federation_peer.c
    found = (
        select(mirror.enterprise_id, grant.other_name, peer.scopes_received)
        .join(federation_mirror, mirror.iri == grant.other_iri)
        .join(federation_peer, peer.id == grant.peer_id)
        .where(grant.enterprise_id == hub, grant.direction == "received", peer.state == "accepted")
        .where(mirror.enterprise_id.in_(sorted(supplier_ids)))
        .order_by(grant.id)
    )
    return {row["enterprise_id"]: row["other_name"] for row in tx.all(found) if SCOPE in row["scopes_received"]}


# ------------------------------------------------------------------------------------------------ telling the producer


def parts_named(federation: Federation, tx: Transaction, peer: Peer, asked: Named) -> list[AgreedPart]:
    """Who of the customers may be named to the peer now, and for what; nobody once the time of notes is over."""
    if not peer.active or SCOPE not in peer.scopes_received or _is_over(federation, tx, asked.begins_at):
        return []
    try:
        settings = plugin_settings(tx, federation.instance.hooks, asked.hub, "federation", EnterpriseFederation)
    except NotFound:  # the hub has switched the plugin off
        return []
    if not settings.pass_on_names:
        return []
    return agreed_parts(tx, asked.session_id, asked.supplier_id, f"federation:{asked.supplier_id}", limit=MOST)


def _is_over(federation: Federation, tx: Transaction, begins_at: datetime | None) -> bool:
    days = federation.instance.settings.retention.notes_days
    return bool(days) and begins_at is not None and begins_at < tx.now - timedelta(days=days)


def digest_of(parts: Sequence[AgreedPart]) -> str:
    """Changes with the list; empty for an empty one."""
    said = "\n".join(f"{one.order_id} {one.product_id} {one.quantity} {one.name}" for one in parts)
    return hashlib.sha256(said.encode()).hexdigest() if said else ""


def digest_told(tx: Transaction, order_id: str) -> str:
    return str(tx.value(select(_order.names_digest).where(_order.id == order_id)))


def names_document(federation: Federation, tx: Transaction, peer: Peer, order_id: str) -> bytes:
    """The list for who supplies this order: a DFC document with a line for each part. Raises `NotFound` for an order
    that is not this peer's, and where nobody is named."""
    found = orders_by(tx, _order.id == order_id, _order.role == "buyer", _order.peer_id == peer.id, _order.names > 0)
    order = next(iter(found), None)
    if order is None:
        raise NotFound("no_names", "Nobody is named in this order.")
    asked = Named(order.enterprise_id, order.session_id, mirror_of(tx, order.other_iri), order.begins_at)
    parts = parts_named(federation, tx, peer, asked)
    if not parts:
        raise NotFound("no_names", "Nobody is named in this order.")
    return canonical(write_document([_head(order), *_lines(order, parts)]))


def _head(order: InstanceOrder) -> DfcOrder:
    return DfcOrder(iri=order.iri, extra={"own:names": ({"@value": str(order.names)},)})


def _lines(order: InstanceOrder, parts: Sequence[AgreedPart]) -> list[DfcLine]:
    items = {line.product_id: line.item_iri for line in order.lines}
    return [
        DfcLine(
            iri=f"{order.iri}/names/{place}",
            order=order.iri,
            quantity=DfcQuantity(value=Decimal(one.quantity)),
            extra={
                "own:item": ({"@id": items[one.product_id]},),
                "own:name": ({"@value": person_name(one.name) or "?"},),
            },
        )
        for place, one in enumerate(parts, 1)
        if one.product_id in items
    ]


# ------------------------------------------------------------------------------------------------ taking back


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Producers who know the person by name are told of lists without it, within a minute."""
    sessions = {one.session_id for one in orders_by_id(tx, person.order_ids).values()}
    look_again(tx, _order.session_id.in_(sorted(sessions)))


def look_again(tx: Transaction, *which: ColumnElement[bool]) -> None:
    """Sales of which producers know names are summed up anew: something may stand against it by now."""
    named = select(_order.session_id).where(_order.role == "buyer", _order.names > 0, *which).distinct()
    for row in tx.all(named):
        insert_once(tx, federation_order_due, {"kind": "session", "id": row["session_id"], "at": tx.now})
