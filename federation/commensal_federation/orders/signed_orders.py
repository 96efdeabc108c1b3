"""What was signed about an order: of one that is here, or of one whose supplier has moved to another instance since.

Orders move with their enterprise, and its new home cannot keep what it did not verify. So the old home does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from commensal import Conflict, NotFound, Row, Transaction, enterprise_by_id, insert_or, insert_rows

from ..authority.authority import authority_of
from ..delivery.tables import federation_outbox
from ..dfc.iris import enterprise_iri
from ..messages import Received
from ..messages.order_answer import OrderAnswer
from ..messages.order_update import OrderUpdate
from ..provenance.signers import keep_own_signer, keep_signer, signer_of
from ..runtime import Federation
from ..signing.profile import canonical_unchecked, write_moment
from .questions import order_by_iri, order_of
from .tables import (
    federation_moved_order,
    federation_moved_order_statement,
    federation_order,
    federation_order_line,
    federation_order_message,
)

# Keeps the newest signed messages about an order as long as the order: what the buyer and the supplier said last.

_table = federation_order_message.c
_SENT = select(federation_outbox.c.body).where(federation_outbox.c.id == bindparam("message"))
_KEPT = select(federation_order_message).where(_table.order_id == bindparam("order")).order_by(_table.type.desc())


def keep_sent(federation: Federation, tx: Transaction, order_id: str, type: str, message_id: str) -> None:
    """Keeps a message of this instance that `post` has queued in the same transaction."""
    _keep(tx, order_id, type, tx.value(_SENT, {"message": message_id}), keep_own_signer(federation, tx))


def keep_received(
    federation: Federation, tx: Transaction, received: Received[OrderUpdate] | Received[OrderAnswer]
) -> None:
    """Keeps a peer's message if it is the newest about its order."""
    body = received.body
    order = order_by_iri(tx, body.iri)
    newest = order is not None and (
        body.rev == order.rev if isinstance(body, OrderUpdate) else body.answer == order.answer
    )
    signer = signer_of(federation, tx, received.peer.iri)
    if order is not None and newest and signer is not None:
        text = canonical_unchecked(received.document).decode()
        type = "OrderUpdate" if isinstance(body, OrderUpdate) else "OrderAnswer"
        _keep(tx, order.id, type, text, keep_signer(tx, signer))


def kept_messages(tx: Transaction, order_id: str) -> Sequence[Row]:
    """Returns the kept messages of an order, that of the buyer first."""
    return tx.all(_KEPT, {"order": order_id})


def _keep(tx: Transaction, order_id: str, type: str, body: str, key_version: int) -> None:
    new = insert_or(tx, federation_order_message).values(
        order_id=order_id, type=type, body=body, key_version=key_version, at=tx.now
    )
    changed = {name: new.excluded[name] for name in ("body", "key_version", "at")}
    tx.execute(new.on_conflict_do_update(index_elements=["order_id", "type"], set_=changed))


_order, _line, _message = federation_order.c, federation_order_line.c, federation_order_message.c
_SUPPLIED = (_order.role == "supplier", _order.enterprise_id == bindparam("enterprise"))
_IDS = select(_order.id).where(*_SUPPLIED)
_ORDERS = select(_order.id, _order.iri).where(*_SUPPLIED, _order.id.in_(select(_message.order_id)))
_LINES = (
    select(_line.order_id, _line.item_iri, _line.statement).where(_line.order_id.in_(_IDS)).order_by(_line.item_iri)
)
_MESSAGES = select(federation_order_message).where(_message.order_id.in_(_IDS)).order_by(_message.type.desc())
_moved = federation_moved_order.c
_MOVED = select(federation_moved_order).where(
    _moved.id == bindparam("order"), _moved.enterprise_id == bindparam("enterprise")
)


@dataclass(frozen=True, kw_only=True)
class SignedMessage:
    """A message as it was signed. `key_version` is that of the signer's key set; `at` is an ISO 8601 moment in UTC."""

    type: str
    body: str
    key_version: int
    at: str


@dataclass(frozen=True, kw_only=True)
class SignedOrder:
    """`items` are pairs of an item's IRI and the name of its statement; the buyer's message is first."""

    iri: str
    items: Sequence[tuple[str, str]]
    messages: Sequence[SignedMessage]


def signed_order(federation: Federation, tx: Transaction, enterprise_id: str, order_id: str) -> SignedOrder:
    """Returns what was signed about an order of the enterprise. Raises `NotFound`, and `Conflict` if nothing is."""
    row = tx.first(_MOVED, {"order": order_id, "enterprise": enterprise_id})
    moved = None if row is None else _moved_order(row)
    try:
        order = order_of(tx, enterprise_id, order_id, locked=False)
    except NotFound:
        if moved is None:
            raise
        return moved
    messages = [_signed_message(row) for row in kept_messages(tx, order.id)]
    if any(message.type == "OrderUpdate" for message in messages):
        items = [(line.item_iri, line.statement) for line in order.lines]
        return SignedOrder(iri=order.iri, items=items, messages=messages)
    if moved is None:
        raise _nothing_kept(federation, tx, enterprise_id)
    return moved


def keep_moved_orders(tx: Transaction, enterprise_id: str) -> None:
    """Keeps what was signed about the orders that the enterprise, which moves away, has supplied."""
    values = {"enterprise": enterprise_id}
    items = defaultdict[str, list[tuple[str, str]]](list)
    messages = defaultdict[str, list[dict[str, object]]](list)
    for row in tx.all(_LINES, values):
        items[row["order_id"]].append((row["item_iri"], row["statement"]))
    for row in tx.all(_MESSAGES, values):
        messages[row["order_id"]].append(vars(_signed_message(row)))
    orders = tx.all(_ORDERS, values)
    tx.execute(delete(federation_moved_order).where(_moved.id.in_(_IDS)), values)  # it had moved before, and came back
    rows = [
        {**order, "enterprise_id": enterprise_id, "items": items[order["id"]], "messages": messages[order["id"]]}
        for order in orders
    ]
    insert_rows(tx, federation_moved_order, rows)
    names = {(order["id"], name) for order in orders for _, name in items[order["id"]] if name}
    statements = [{"order_id": order_id, "statement": name} for order_id, name in sorted(names)]
    insert_rows(tx, federation_moved_order_statement, statements)


def _signed_message(row: Row) -> SignedMessage:
    return SignedMessage(type=row["type"], body=row["body"], key_version=row["key_version"], at=write_moment(row["at"]))


def _moved_order(row: Row) -> SignedOrder:
    items = [(item, statement) for item, statement in row["items"]]
    return SignedOrder(iri=row["iri"], items=items, messages=[SignedMessage(**message) for message in row["messages"]])


def _nothing_kept(federation: Federation, tx: Transaction, enterprise_id: str) -> Conflict:
    came_from = authority_of(tx, enterprise_iri(federation.base, enterprise_id)).came_from
    if came_from:
        text = "{name} has moved here from {address}, where all is kept that was signed about this order."
        name = enterprise_by_id(tx, enterprise_id).name
        return Conflict("kept_elsewhere", text, name=name, address=came_from)
    return Conflict("no_evidence", "No signed message about this order is kept: it was placed by an older version.")
