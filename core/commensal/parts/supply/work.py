"""Handles jobs that tell a supplier of its closed part in a sale."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from ...instance import Instance
from ...orders.guests import AFTER_CUT_OFF, guests_confirm_by
from ...sale_sessions.tables import sale_session
from ...storage.jobs import Job, enqueue
from .passed_cut_offs import TELL
from .policy import closing_policy_of
from .purchase_orders import tell_supplier
from .tables import sale_part

_SOON = timedelta(seconds=30)
_LONGEST_WAIT = 2 * AFTER_CUT_OFF  # if expired orders are not cancelled, as while the clock is in doubt


def tell_when_closed(instance: Instance, job: Job) -> None:
    """Tells the supplier what to bring, unless its shop does so by hand, or the sale was opened again meanwhile.

    While guests may still confirm goods of this supplier, it waits for them: they are ordered once they are wanted.
    """
    session_id, supplier_id = job.payload["session_id"], job.payload["supplier_id"]
    with instance.store.write() as tx:
        part = tx.first(
            select(sale_session.c.enterprise_id, sale_part.c.closed_at)
            .join(sale_part, sale_part.c.session_id == sale_session.c.id)
            .where(sale_session.c.id == session_id, sale_part.c.supplier_id == supplier_id)
        )
        if part is None or closing_policy_of(tx, part["enterprise_id"]).telling != "at the cut-off":
            return
        confirm_by = guests_confirm_by(tx, session_id, supplier_id)
        if confirm_by is not None and tx.now < part["closed_at"] + _LONGEST_WAIT:
            enqueue(tx, TELL, job.payload, due_at=max(confirm_by, tx.now + _SOON))
            return
        tell_supplier(tx, instance.hooks, session_id, supplier_id)
