"""Keeps the newest signed messages about an order as long as the order: what the buyer and the supplier said last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from commensal import Row, Transaction, insert_or

from ..delivery.tables import federation_outbox
from ..messages import Received
from ..messages.bodies.orders import OrderAnswer, OrderUpdate
from ..provenance.signers import keep_own_signer, keep_signer, signer_of
from ..runtime import Federation
from ..signing.canonical import canonical_unchecked
from .questions import order_by_iri
from .tables import federation_order_message

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
