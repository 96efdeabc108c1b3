"""A person has looked at an order that was not tried any more."""

from __future__ import annotations

from commensal import Conflict, Transaction

from .due import tell_due
from .questions import backorder_of, locked_backorder
from .values import Backorder
from .wanting import reopened
from .write import keep_backorder


def retry_backorder(tx: Transaction, enterprise_id: str | None, id: str) -> Backorder:
    """It is told again now. One that the platform has cancelled is ordered anew, and one of which nobody could know
    whether it arrived is sent again: who retries has looked there. `enterprise_id` None: whose it is does not matter.

    Raises `NotFound`, and `Conflict` for one that has nothing left to tell.
    """
    known = backorder_of(tx, enterprise_id, id)
    order = locked_backorder(tx, known.id)
    assert order is not None
    if order.parked_at is not None and order.said_state == "Cancelled":
        order = reopened(tx, order)
    elif order.parked_at is None and not order.failures and not order.unsaid:
        raise Conflict("nothing_to_tell", "The platform knows of this order as it is.")
    sent_again = order.parked_at is not None and not order.iri
    keep_backorder(
        tx, order, parked_at=None, failures=0, failing_since=None, due_at=tx.now,
        posting=order.posting and not sent_again,
    )  # fmt: skip
    tell_due(tx, session_id=order.session_id)
    return backorder_of(tx, enterprise_id, id)
