"""Notices cut-offs that have passed: each supplier's part in a sale is closed once, and then its supplier is told.

Between the two, the part is `closed`: customers no longer change what they ordered of the supplier, and people may
still shape what is ordered. Whether goods can still be ordered depends on time alone, never on this state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Exists, and_, bindparam, exists, or_, select

from ...enterprises.tables import enterprise
from ...instance import Instance
from ...orders.emails import mail_customers
from ...orders.guests import AFTER_CUT_OFF, end_time_of_guests, guests_confirm_by
from ...orders.tables import customer_order, order_line
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session
from ...storage.database import RowQuery, Time, Transaction, insert_rows
from ...storage.jobs import Job, NewJob, enqueue, enqueue_all
from .policy import closing_policy_of
from .purchase_orders import tell_supplier
from .tables import closing_policy, sale_closing, sale_part

TELL = "tell_supplier"  # the kind of job
LATEST = timedelta(days=7)  # after the closing: covers cut-offs that passed while no worker was running
STRAGGLERS = timedelta(hours=1)  # after the closing: an order of the last moment may be committed later
_session, _part = sale_session.c, sale_part.c
_NOW, _SINCE = bindparam("now", type_=Time), bindparam("since", type_=Time)
_RUNNING = (
    coordination.c.cancelled_at.is_(None),
    _session.closes_at > _SINCE,
    _session.opens_at <= _NOW,
    _session.ends_at > _NOW,
)


@dataclass(frozen=True, kw_only=True)
class SalePart:
    """A supplier's part in a sale session. `state` is "closed" or "told"; `told_at` is None until then. Times are UTC.

    There is a purchase order if the supplier was told and something was ordered of it.
    """

    session_id: str
    supplier_id: str
    supplier: str
    state: str
    closed_at: datetime
    told_at: datetime | None


def close_parts(tx: Transaction) -> list[tuple[str, str]]:
    """Closes every part whose cut-off has passed. Returns them as pairs of session and supplier.

    Enqueues a job for each, which tells its supplier; and for sessions that have closed, e-mails to their customers.
    Guests who have not confirmed their orders have a few minutes left, and suppliers are told after that.
    """
    moments = {"now": tx.now, "since": tx.now - LATEST, "lately": tx.now - STRAGGLERS}
    rows = list(tx.all(_OWN_CUT_OFF, moments))
    closed = tx.all(_CLOSED_SESSIONS, moments)
    if closed:
        rows += tx.all(_ORDERED_OF, {"sessions": [row["id"] for row in closed]})
    new = [row for row in closed if row["noticed_at"] is None]
    insert_rows(tx, sale_closing, [{"session_id": row["id"], "noticed_at": tx.now} for row in new])
    mail_customers(tx, "order_final", [row["id"] for row in new if row["final_mail"] is not False])
    pairs = sorted({(row["session_id"], row["supplier_id"]) for row in rows})
    end_time_of_guests(tx, [row["id"] for row in closed], pairs)
    close(tx, pairs)
    return pairs


def close(tx: Transaction, pairs: Iterable[tuple[str, str]]) -> None:
    """Writes parts that are closed now, and enqueues the jobs that tell their suppliers."""
    rows = [
        {"session_id": session_id, "supplier_id": supplier_id, "state": "closed", "closed_at": tx.now, "told_at": None}
        for session_id, supplier_id in pairs
    ]
    insert_rows(tx, sale_part, rows)
    jobs = [{"session_id": row["session_id"], "supplier_id": row["supplier_id"]} for row in rows]
    enqueue_all(tx, [NewJob(TELL, payload) for payload in jobs])


def parts_of(tx: Transaction, enterprise_id: str, session_id: str) -> list[SalePart]:
    """Returns the parts of the shop's session whose cut-off has passed, by the supplier's name."""
    statement = (
        select(*sale_part.c, enterprise.c.name.label("supplier"))
        .join(enterprise, enterprise.c.id == _part.supplier_id)
        .join(sale_session, _session.id == _part.session_id)
        .where(_part.session_id == session_id, _session.enterprise_id == enterprise_id)
        .order_by(enterprise.c.name, _part.supplier_id)
    )
    return [SalePart(**row) for row in tx.all(statement)]


def _is_closed(supplier: object) -> Exists:
    return exists().where(_part.session_id == _session.id, _part.supplier_id == supplier)


def _own_cut_off() -> RowQuery:
    """Suppliers of whom something is ordered, and whose own, earlier cut-off has passed, at sessions to be handed out.

    A part refers to its session, and a session can be removed as long as nobody has ordered there.
    """
    supplier, line, order = coordination_supplier.c, order_line.c, customer_order.c
    ordered = (
        select(line.id)
        .join(customer_order, order.id == line.order_id)
        .where(order.session_id == _session.id, order.state.in_(("Held", "Complete")))
        .where(line.supplier_id == supplier.enterprise_id, line.quantity > 0)
        .exists()
    )
    return (
        select(_session.id.label("session_id"), supplier.enterprise_id.label("supplier_id"))
        .join_from(sale_session, coordination, coordination.c.id == _session.coordination_id)
        .join(coordination_supplier, supplier.coordination_id == coordination.c.id)
        .where(*_RUNNING, supplier.closes_at <= _NOW, supplier.enterprise_id != _session.enterprise_id)
        .where(~_is_closed(supplier.enterprise_id), ordered)
    )


def _closed_sessions() -> RowQuery:
    """Sessions that have closed and whose closing was not noticed yet, or so lately that orders may have followed."""
    return (
        select(_session.id, sale_closing.c.noticed_at, closing_policy.c.final_mail)
        .join_from(sale_session, coordination, coordination.c.id == _session.coordination_id)
        .outerjoin(sale_closing, sale_closing.c.session_id == _session.id)
        .outerjoin(closing_policy, closing_policy.c.enterprise_id == _session.enterprise_id)
        .where(*_RUNNING, _session.closes_at <= _NOW)
        .where(or_(sale_closing.c.noticed_at.is_(None), _session.closes_at > bindparam("lately", type_=Time)))
        .order_by(_session.id)
    )


def _ordered_of() -> RowQuery:
    """Suppliers of whom something is ordered at these sessions, also those that have left the sale since."""
    line, order = order_line.c, customer_order.c
    ordered = and_(order.session_id == _session.id, order.state.in_(("Held", "Complete")))
    return (
        select(_session.id.label("session_id"), line.supplier_id)
        .join_from(sale_session, customer_order, ordered)
        .join(order_line, and_(line.order_id == order.id, line.quantity > 0))
        .where(_session.id.in_(bindparam("sessions", expanding=True)))
        .where(line.supplier_id != _session.enterprise_id, ~_is_closed(line.supplier_id))
        .distinct()
    )


_OWN_CUT_OFF, _CLOSED_SESSIONS, _ORDERED_OF = _own_cut_off(), _closed_sessions(), _ordered_of()


# Handles jobs that tell a supplier of its closed part in a sale.

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
