"""The hub's side of names: which customers a producer may know by name. Customers consent, and may withdraw it.

Three must agree: the hub (its setting), the producer's instance (it gives the scope `order.names`), and each customer
(a box at the checkout, one for each producer). The order states only the revision in which the list last changed; the
producer's instance fetches the list as it is at that moment. So no signed message, which both sides must keep as
evidence, holds a name that must be forgotten.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, select

from commensal import (
    ConsentRequest,
    DataSubject,
    NotFound,
    OrderDraft,
    Transaction,
    hookimpl,
    insert_once,
    orders_by_id,
    plugin_settings,
    translate,
)
from commensal.parts.distribution import AgreedPart, agreed_parts

from ..dfc.vocabulary import DfcLine, DfcOrder, DfcQuantity
from ..grants.questions import mirror_of
from ..grants.tables import federation_grant, federation_mirror
from ..messages.bodies.orders import InstanceOrder
from ..messages.documents import write_document
from ..peers.peers import Peer
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from ..signing import canonical
from .questions import orders_where
from .tables import federation_order, federation_order_due

SCOPE = "order.names"
MOST = 2000  # customers' parts of one order; customers who order later stay unnamed
LONGEST_NAME = 80  # characters
_order = federation_order.c


@dataclass(frozen=True)
class NameQuery:
    """Selects names: those of a hub's sale for one producer (`supplier_id`: its copy here). `begins_at` is that of the
    distribution, UTC."""

    hub: str
    session_id: str
    supplier_id: str
    begins_at: datetime | None


# ------------------------------------------------------------------------------------------------ asking customers


@hookimpl
def consent_requests(
    tx: Transaction, order: OrderDraft, language: str, settings: EnterpriseFederation
) -> Sequence[ConsentRequest] | None:
    """Asks for consent for each remote producer whose goods are in the order and whose instance accepts names."""
    if not settings.pass_on_names:
        return None
    text = translate(language, "{producer} may learn my name and what I order of it, to label my boxes; nothing else.")
    producers = _name_receivers(tx, order.enterprise_id, {line.supplier_id for line in order.lines})
    return [ConsentRequest(id=id, text=text.format(producer=name)) for id, name in producers.items()]


def _name_receivers(tx: Transaction, hub: str, supplier_ids: Collection[str]) -> Mapping[str, str]:
    grant, mirror, peer = federation_grant.c, federation_mirror.c, federation_peer.c
    query = (
        select(mirror.enterprise_id, grant.other_name, peer.scopes_received)
        .join(federation_mirror, mirror.iri == grant.other_iri)
        .join(federation_peer, peer.id == grant.peer_id)
        .where(grant.enterprise_id == hub, grant.direction == "received", peer.state == "accepted")
        .where(mirror.enterprise_id.in_(sorted(supplier_ids)))
        .order_by(grant.id)
    )
    return {row["enterprise_id"]: row["other_name"] for row in tx.all(query) if SCOPE in row["scopes_received"]}


# ------------------------------------------------------------------------------------------------ telling the producer


def nameable_parts(federation: Federation, tx: Transaction, peer: Peer, query: NameQuery) -> list[AgreedPart]:
    """Returns the parts of orders whose customers may be named to the peer now; none after the retention of notes."""
    if not peer.active or SCOPE not in peer.scopes_received or _is_expired(federation, tx, query.begins_at):
        return []
    try:
        settings = plugin_settings(tx, federation.instance.hooks, query.hub, "federation", EnterpriseFederation)
    except NotFound:  # the hub has switched the plugin off
        return []
    if not settings.pass_on_names:
        return []
    return agreed_parts(tx, query.session_id, query.supplier_id, f"federation:{query.supplier_id}", limit=MOST)


def _is_expired(federation: Federation, tx: Transaction, begins_at: datetime | None) -> bool:
    days = federation.instance.settings.retention.notes_days
    return bool(days) and begins_at is not None and begins_at < tx.now - timedelta(days=days)


def digest_of(parts: Sequence[AgreedPart]) -> str:
    """SHA-256 of the list in hexadecimal; empty for an empty list."""
    text = "\n".join(f"{part.order_id} {part.product_id} {part.quantity} {part.name}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def sent_digest(tx: Transaction, order_id: str) -> str:
    return str(tx.value(select(_order.names_digest).where(_order.id == order_id)))


def names_document(federation: Federation, tx: Transaction, peer: Peer, order_id: str) -> bytes:
    """Returns the list for the supplier of this order: a canonical DFC document with a line for each part.

    Raises `NotFound` for an order that is not this peer's, and when nobody is named.
    """
    orders = orders_where(
        tx, _order.id == order_id, _order.role == "buyer", _order.peer_id == peer.id, _order.names > 0
    )
    order = next(iter(orders), None)
    if order is None:
        raise NotFound("no_names", "Nobody is named in this order.")
    query = NameQuery(order.enterprise_id, order.session_id, mirror_of(tx, order.other_iri), order.begins_at)
    parts = nameable_parts(federation, tx, peer, query)
    if not parts:
        raise NotFound("no_names", "Nobody is named in this order.")
    return canonical(write_document([_head(order), *_lines(order, parts)]))


def person_name(text: str) -> str:
    """Returns a person's name, of whatever origin, as one short line that no screen or printer obeys.

    Control, format and private characters (Unicode category C) are removed, so nothing turns the writing around; blanks
    of all kinds become one; the result has at most `LONGEST_NAME` characters, and is empty where nothing remains.
    """
    line = " ".join(text[: LONGEST_NAME * 10].split())
    printable = (character for character in line if not unicodedata.category(character).startswith("C"))
    return "".join(printable)[:LONGEST_NAME].strip()


def _head(order: InstanceOrder) -> DfcOrder:
    return DfcOrder(iri=order.iri, extra={"own:names": ({"@value": str(order.names)},)})


def _lines(order: InstanceOrder, parts: Sequence[AgreedPart]) -> list[DfcLine]:
    items = {line.product_id: line.item_iri for line in order.lines}
    return [
        DfcLine(
            iri=f"{order.iri}/names/{number}",
            order=order.iri,
            quantity=DfcQuantity(value=Decimal(part.quantity)),
            extra={
                "own:item": ({"@id": items[part.product_id]},),
                "own:name": ({"@value": person_name(part.name) or "?"},),
            },
        )
        for number, part in enumerate(parts, 1)
        if part.product_id in items
    ]


# ------------------------------------------------------------------------------------------------ taking back


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Queues new lists, without this person, for the producers that know the name; they are sent within a minute."""
    sessions = {order.session_id for order in orders_by_id(tx, person.order_ids).values()}
    queue_named_sales(tx, _order.session_id.in_(sorted(sessions)))


def queue_named_sales(tx: Transaction, *which: ColumnElement[bool]) -> None:
    """Queues the sales of which producers know names, since the permission may have ended."""
    sessions = select(_order.session_id).where(_order.role == "buyer", _order.names > 0, *which).distinct()
    for row in tx.all(sessions):
        insert_once(tx, federation_order_due, {"kind": "session", "id": row["session_id"], "at": tx.now})
