"""Background work of orders: changed sums are sent within a minute, unused statements forgotten once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import and_, bindparam, delete, exists, select

from commensal import Instance, Job, NotFound, Periodic, Transaction, Work, enqueue, insert_once, sale_by_id

from ..catalogue.tables import federation_item, federation_told_price
from ..grants.tables import federation_told
from ..leases.lender import RECHECK
from ..provenance.tables import federation_statement
from ..runtime import Federation, federation_of
from .hub import send_session_orders
from .onward import pass_on
from .producer_names import EXPIRE, FETCH, expire_names, fetch_names
from .statement import compare_sums
from .supplier import confirm_covered
from .tables import federation_moved_order_statement, federation_order, federation_order_due, federation_order_line

TELL, FORGET = "federation.tell_orders", "federation.forget_statements"
Plan = Callable[[Transaction, str], None]
_due, _order, _line = federation_order_due.c, federation_order.c, federation_order_line.c
_ANY = select(_due.id).limit(1)
_UNCOVERED = (
    select(_order.id)
    .join(federation_order_line, and_(_line.order_id == _order.id, _line.doubt == "lease"))
    .where(_order.role == "supplier", _order.peer_id == bindparam("peer"), _order.state == "Complete")
    .distinct()
)
_NAMED = select(_order.id).where(_order.names > 0).limit(1)
_ALL = select(federation_order_due).order_by(_due.at, _due.id)
_DONE = delete(federation_order_due).where(_due.kind == bindparam("of"), _due.id == bindparam("which"))
KEPT = timedelta(days=400)  # of what we have offered, as messages are kept: an order may name an older revision
_AT_ONCE = 5_000
_statement, _price, _told = federation_statement.c, federation_told_price.c, federation_told.c
_based_on_it = federation_statement.alias()
_REFERENCED = (
    exists().where(federation_order_line.c.statement == _statement.name)
    | exists().where(federation_moved_order_statement.c.statement == _statement.name)
    | exists().where(federation_item.c.statement == _statement.name)
    | exists().where(_based_on_it.c.origin == _statement.name)
    | exists().where(
        _price.statement == _statement.name,
        _told.grant_id == _price.grant_id,
        _told.item_id == _price.item_id,
        _told.rev == _price.rev,
    )
)
_OLD = (
    select(_statement.name)
    .where(~_REFERENCED, (_statement.actor != bindparam("ours")) | (_statement.verified_at < bindparam("before")))
    .limit(_AT_ONCE)
)


def enqueue_summaries(tx: Transaction) -> None:
    if tx.first(_ANY) is not None:
        enqueue(tx, TELL, {})


def enqueue_name_expiry(tx: Transaction) -> None:
    if tx.first(_NAMED) is not None:
        enqueue(tx, EXPIRE, {})


def send_changes(plan: Plan, instance: Instance, job: Job) -> None:
    """Sends the sums of each queued sale and passed-on order, each in a transaction of its own."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        due = [(row["kind"], row["id"]) for row in tx.all(_ALL)]
    for kind, id in due:
        with instance.store.write() as tx:
            tx.change(_DONE, {"of": kind, "which": id})
            if kind == "session":
                _summarise_sale(federation, tx, id, plan)
            else:
                _process_incoming(federation, tx, id)


def _summarise_sale(federation: Federation, tx: Transaction, session_id: str, plan: Plan) -> None:
    try:
        sale_by_id(tx, session_id)
    except NotFound:  # a restore has lost the sale: its order stays as it was sent
        return
    send_session_orders(federation, tx, session_id)
    plan(tx, session_id)


def _process_incoming(federation: Federation, tx: Transaction, order_id: str) -> None:
    """Confirms a remote hub's order where leases cover it now, and passes it on."""
    confirm_covered(federation, tx, order_id)
    pass_on(federation, tx, order_id)


def recheck(instance: Instance, job: Job) -> None:
    """Queues a peer's complete orders with a line that no lease covered, since its leases cover more than before; they
    are processed within a minute."""
    with instance.store.write() as tx:
        for row in tx.all(_UNCOVERED, {"peer": job.payload["peer"]}):
            insert_once(tx, federation_order_due, {"kind": "order", "id": row["id"], "at": tx.now})


def forget(instance: Instance, job: Job) -> None:
    """Forgets statements that nothing names any more."""
    instance.store.transact(lambda tx: forget_statements(federation_of(instance), tx))


def work(plan: Plan) -> Work:
    """Returns the room's jobs. `plan` is called with each changed sale, in the transaction that sends its orders."""
    return Work(
        {TELL: partial(send_changes, plan), RECHECK: recheck, FETCH: fetch_names, EXPIRE: expire_names, FORGET: forget},
        (
            Periodic("federation.orders", timedelta(minutes=1), enqueue_summaries),
            Periodic(
                "federation.old_statements", timedelta(days=1), lambda tx: enqueue(tx, FORGET, {}), irreversible=True
            ),
            Periodic("federation.sums", timedelta(days=1), compare_sums),
            Periodic("federation.names", timedelta(days=1), enqueue_name_expiry, irreversible=True),
        ),
        irreversible=frozenset({EXPIRE, FORGET}),
    )


def forget_statements(federation: Federation, tx: Transaction) -> None:
    """Forgets signed statements that neither a catalogue nor an order names any more.

    What peers have sent goes as soon as nothing names it; a message that is kept had brought it.
    """
    values = {"ours": federation.iri, "before": tx.now - KEPT}
    names = [row["name"] for row in tx.all(_OLD, values)]
    tx.execute(delete(federation_statement).where(_statement.name.in_(names)))
