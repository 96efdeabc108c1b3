"""Handles jobs that tell a supplier of its closed part in a sale."""

from __future__ import annotations

from sqlalchemy import select

from ...instance import Instance
from ...storage.jobs import Job
from ..sale_sessions.tables import sale_session
from .policy import closing_policy_of
from .purchase_orders import tell_supplier
from .tables import sale_part


def tell_when_closed(instance: Instance, job: Job) -> None:
    """Tells the supplier what to bring, unless its shop does so by hand, or the sale was opened again meanwhile."""
    session_id, supplier_id = job.payload["session_id"], job.payload["supplier_id"]
    with instance.store.write() as tx:
        shop_id = tx.value(
            select(sale_session.c.enterprise_id)
            .join(sale_part, sale_part.c.session_id == sale_session.c.id)
            .where(sale_session.c.id == session_id, sale_part.c.supplier_id == supplier_id)
        )
        if shop_id is not None and closing_policy_of(tx, shop_id).telling == "at the cut-off":
            tell_supplier(tx, instance.hooks, session_id, supplier_id)
