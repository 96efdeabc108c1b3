"""Retries an order that a person has looked at."""

from __future__ import annotations

from commensal import Conflict, Transaction

from .due import enqueue_due
from .plan import reopen
from .questions import backorder_of, locked_backorder
from .values import Backorder
from .write import update_backorder


def retry_backorder(tx: Transaction, enterprise_id: str | None, id: str) -> Backorder:
    """Sends an order again now and returns it. `enterprise_id` None: an order of any enterprise.

    An order that the platform has cancelled is placed anew. One that may have arrived is sent again: the person has
    checked at the platform. Raises `NotFound`, and `Conflict` for an order without failures or unsent changes.
    """
    existing = backorder_of(tx, enterprise_id, id)
    order = locked_backorder(tx, existing.id)
    assert order is not None
    if order.parked_at is not None and order.said_state == "Cancelled":
        order = reopen(tx, order)
    elif order.parked_at is None and not order.failures and not order.has_unsent_changes:
        raise Conflict("nothing_to_tell", "The platform knows of this order as it is.")
    send_again = order.parked_at is not None and not order.iri
    update_backorder(
        tx,
        order,
        parked_at=None,
        failures=0,
        failing_since=None,
        due_at=tx.now,
        posting=order.posting and not send_again,
    )
    enqueue_due(tx, session_id=order.session_id)
    return backorder_of(tx, enterprise_id, id)
