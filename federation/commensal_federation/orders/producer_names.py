"""The producer's side of names: fetched from the hub when its order says that the list has changed.

Names are personal data of the hub's customers. They are deleted when the hub announces a new list, with the order,
when notes on orders expire (`retention.notes_days` after the distribution), and when the scope is withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select

from commensal import Instance, Job, Transaction, enqueue, insert_rows

from ..delivery.calling import address_of, fetch
from ..dfc.iris import local_id
from ..dfc.vocabulary import DfcLine, DfcOrder
from ..messages.bodies.orders import CustomerPart, InstanceOrder
from ..messages.documents import read_document
from ..messages.members import own_number, own_text
from ..peers.peers import Peer, peer_by_id
from ..peers.tables import federation_peer
from ..runtime import federation_of
from ..signing import Unreadable, read_json
from .hub_names import MOST, SCOPE, person_name, queue_named_sales
from .tables import federation_order, federation_order_name

FETCH = "federation.names"
EXPIRE = "federation.tend_names"
LARGEST = 2 * 1024 * 1024  # bytes of a list
_MOST_PIECES = 1_000_000
_order, _name = federation_order.c, federation_order_name.c
_NAMED = select(_order.iri, _order.peer_id, _order.names).where(
    _order.id == bindparam("order"), _order.role == "supplier", _order.names > 0
)


def request_names(tx: Transaction, peer: Peer, order_id: str, names: int) -> None:
    """Deletes the outdated names of an order. Enqueues the job that fetches new ones, if the peer may send names."""
    tx.execute(delete(federation_order_name).where(_name.order_id == order_id))
    if names and SCOPE in peer.scopes_given:
        enqueue(tx, FETCH, {"order": order_id})


def fetch_names(instance: Instance, job: Job) -> None:
    """Fetches the list of names of an order from the hub. The job is tried again when this fails.

    Raises `Unreachable`, `Unreadable`.
    """
    federation, order_id = federation_of(instance), job.payload["order"]
    with instance.store.read() as tx:
        order = tx.first(_NAMED, {"order": order_id})
        peer = None if order is None else peer_by_id(tx, order["peer_id"])
    if order is None or peer is None or SCOPE not in peer.scopes_given or not peer.active:
        return
    id = local_id(peer.base, order["iri"], "orders")
    answer = fetch(federation, address_of(peer, f"names/{id}"), size=LARGEST)
    if answer.status == 404:  # all consent was withdrawn meanwhile
        return
    if answer.status != 200:
        raise Unreadable("names", f"{peer.base} answered {answer.status}")
    names, parts = _read(answer.body, order["iri"])
    with instance.store.write() as tx:
        current = tx.first(_NAMED.with_for_update(), {"order": order_id})
        if current is not None and names >= current["names"]:
            _store_names(tx, order_id, parts)


def _read(body: bytes, iri: str) -> tuple[int, Mapping[str, Sequence[CustomerPart]]]:
    """Returns the number of the list, and the customers' parts by item IRI. Raises `Unreadable`."""
    document = read_document(read_json(body, LARGEST))
    order, lines = document.one(DfcOrder), document.all(DfcLine)
    if order.iri != iri or len(lines) > MOST:
        raise Unreadable("names", f"they must be of {iri[:200]}, in at most {MOST} lines")
    parts: dict[str, list[CustomerPart]] = {}
    for line in lines:
        parts.setdefault(_item(line), []).append(_part(line))
    return own_number(order, "own:names"), parts


def _item(line: DfcLine) -> str:
    item = next((str(reference["@id"]) for reference in line.extra.get("own:item", ()) if "@id" in reference), "")
    if not 0 < len(item) <= 500:
        raise Unreadable("line", f"{line.iri[:200]} needs an item")
    return item


def _part(line: DfcLine) -> CustomerPart:
    quantity = None if line.quantity is None else line.quantity.value
    if quantity is None or quantity != int(quantity) or not 0 < quantity <= _MOST_PIECES:
        raise Unreadable("quantity", f"{line.iri[:200]} needs pieces, from 1 to a million")
    return CustomerPart(person_name(own_text(line, "own:name")) or "?", int(quantity))


def _store_names(tx: Transaction, order_id: str, parts: Mapping[str, Sequence[CustomerPart]]) -> None:
    tx.execute(delete(federation_order_name).where(_name.order_id == order_id))
    rows = [
        {"order_id": order_id, "item_iri": item, "place": index, "name": part.name, "quantity": part.quantity}
        for item, customer_parts in parts.items()
        for index, part in enumerate(customer_parts)
    ]
    insert_rows(tx, federation_order_name, rows)


def with_customers(tx: Transaction, orders: Sequence[InstanceOrder]) -> list[InstanceOrder]:
    """Returns the same orders, each line with the customers who are named."""
    ids = [order.id for order in orders]
    parts: dict[tuple[str, str], list[CustomerPart]] = {}
    query = select(federation_order_name).where(_name.order_id.in_(ids)).order_by(_name.item_iri, _name.place)
    for row in tx.all(query):
        parts.setdefault((row["order_id"], row["item_iri"]), []).append(CustomerPart(row["name"], row["quantity"]))
    return [
        replace(
            order,
            lines=tuple(
                replace(line, customers=tuple(parts.get((order.id, line.item_iri), ()))) for line in order.lines
            ),
        )
        for order in orders
    ]


# ------------------------------------------------------------------------------------------------ deleting


def expire_names(instance: Instance, job: Job) -> None:
    """Deletes, once a day, names that have expired and those that their peer may not send any more.

    Queues the hub's sales with names, because its setting, or what the producer's instance accepts, may have changed.
    """
    days = instance.settings.retention.notes_days
    with instance.store.write() as tx:
        if days:
            relevant_at = func.coalesce(_order.begins_at, _order.closes_at, _order.created_at)
            _delete_names(tx, relevant_at < tx.now - timedelta(days=days))
        peers = tx.all(select(federation_peer.c.id, federation_peer.c.scopes_given, federation_peer.c.state))
        barred = [row["id"] for row in peers if row["state"] != "accepted" or SCOPE not in row["scopes_given"]]
        _delete_names(tx, _order.peer_id.in_(barred))
        since = tx.now - timedelta(days=days)
        queue_named_sales(tx, *([or_(_order.begins_at.is_(None), _order.begins_at >= since)] if days else []))


def _delete_names(tx: Transaction, which: ColumnElement[bool]) -> None:
    orders = select(_order.id).where(_order.role == "supplier", which)
    tx.execute(delete(federation_order_name).where(_name.order_id.in_(orders)))
