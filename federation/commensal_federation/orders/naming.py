"""The producer's side of names: asked of the hub when its order says that they have changed, shown with the order.

They are personal data that belong to the hub's customers. So they go as soon as the hub says anything new of them, with
the order, when notes on orders go (`retention.notes_days` after the distribution), and when the scope is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select

from commensal import Instance, Job, Transaction, insert_rows, promise

from ..delivery.calling import address_of, fetch
from ..dfc.iris import local_id
from ..dfc.vocabulary import DfcLine, DfcOrder
from ..messages.bodies.orders import CustomerPart, InstanceOrder
from ..messages.documents import read_document
from ..messages.reading import own_number, own_text
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..peers.values import Peer
from ..runtime import federation_of
from ..signing import Unreadable, read_json
from .cleaning import person_name
from .names import MOST, SCOPE, look_again
from .tables import federation_order, federation_order_name

FETCH = "federation.names"
TEND = "federation.tend_names"
LARGEST = 2 * 1024 * 1024  # bytes of a list
_MOST_PIECES = 1_000_000
_order, _name = federation_order.c, federation_order_name.c
_NAMED = select(_order.iri, _order.peer_id, _order.names).where(
    _order.id == bindparam("order"), _order.role == "supplier", _order.names > 0
)


def ask_for_names(tx: Transaction, peer: Peer, order_id: str, names: int) -> None:
    """The list has changed: what is known is not true any more, and the new one is fetched, if the peer may tell it."""
    tx.execute(delete(federation_order_name).where(_name.order_id == order_id))
    if names and SCOPE in peer.scopes_given:
        promise(tx, FETCH, {"order": order_id})


def fetch_names(instance: Instance, job: Job) -> None:
    """Asks the hub who is named in an order now. What fails is tried again as jobs are.

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
    if answer.status == 404:  # it was all taken back meanwhile
        return
    if answer.status != 200:
        raise Unreadable("names", f"{peer.base} answered {answer.status}")
    names, parts = _read(answer.body, order["iri"])
    with instance.store.write() as tx:
        now = tx.first(_NAMED.with_for_update(), {"order": order_id})
        if now is not None and names >= now["names"]:
            _keep(tx, order_id, parts)


def _read(body: bytes, iri: str) -> tuple[int, Mapping[str, Sequence[CustomerPart]]]:
    """The number of the list, and parts by item. Raises `Unreadable`."""
    said = read_document(read_json(body, LARGEST))
    order, lines = said.one(DfcOrder), said.all(DfcLine)
    if order.iri != iri or len(lines) > MOST:
        raise Unreadable("names", f"they must be of {iri[:200]}, in at most {MOST} lines")
    parts: dict[str, list[CustomerPart]] = {}
    for line in lines:
        parts.setdefault(_item(line), []).append(_part(line))
    return own_number(order, "own:names"), parts


def _item(line: DfcLine) -> str:
    item = next((str(one["@id"]) for one in line.extra.get("own:item", ()) if "@id" in one), "")
    if not 0 < len(item) <= 500:
        raise Unreadable("line", f"{line.iri[:200]} needs an item")
    return item


def _part(line: DfcLine) -> CustomerPart:
    quantity = None if line.quantity is None else line.quantity.value
    if quantity is None or quantity != int(quantity) or not 0 < quantity <= _MOST_PIECES:
        raise Unreadable("quantity", f"{line.iri[:200]} needs pieces, from 1 to a million")
    return CustomerPart(person_name(own_text(line, "own:name")) or "?", int(quantity))


def _keep(tx: Transaction, order_id: str, parts: Mapping[str, Sequence[CustomerPart]]) -> None:
    tx.execute(delete(federation_order_name).where(_name.order_id == order_id))
    rows = [
        {"order_id": order_id, "item_iri": item, "place": place, "name": one.name, "quantity": one.quantity}
        for item, those in parts.items()
        for place, one in enumerate(those)
    ]
    insert_rows(tx, federation_order_name, rows)


def with_customers(tx: Transaction, orders: Sequence[InstanceOrder]) -> list[InstanceOrder]:
    """The same orders, each line with its customers who are named."""
    ids = [one.id for one in orders]
    known: dict[tuple[str, str], list[CustomerPart]] = {}
    found = select(federation_order_name).where(_name.order_id.in_(ids)).order_by(_name.item_iri, _name.place)
    for row in tx.all(found):
        known.setdefault((row["order_id"], row["item_iri"]), []).append(CustomerPart(row["name"], row["quantity"]))
    return [
        replace(
            order,
            lines=tuple(replace(one, customers=tuple(known.get((order.id, one.item_iri), ()))) for one in order.lines),
        )
        for order in orders
    ]


# ------------------------------------------------------------------------------------------------ letting go


def tend_names(instance: Instance, job: Job) -> None:
    """Once a day: names whose time is over go, and those that their peer may not send any more; and a hub looks whether
    its setting, or what a producer's instance takes, is another by now."""
    days = instance.settings.retention.notes_days
    with instance.store.write() as tx:
        if days:
            held = func.coalesce(_order.begins_at, _order.closes_at, _order.created_at)
            _let_go(tx, held < tx.now - timedelta(days=days))
        peers = tx.all(select(federation_peer.c.id, federation_peer.c.scopes_given, federation_peer.c.state))
        barred = [row["id"] for row in peers if row["state"] != "accepted" or SCOPE not in row["scopes_given"]]
        _let_go(tx, _order.peer_id.in_(barred))
        since = tx.now - timedelta(days=days)
        look_again(tx, *([or_(_order.begins_at.is_(None), _order.begins_at >= since)] if days else []))


def _let_go(tx: Transaction, which: ColumnElement[bool]) -> None:
    orders = select(_order.id).where(_order.role == "supplier", which)
    tx.execute(delete(federation_order_name).where(_name.order_id.in_(orders)))
