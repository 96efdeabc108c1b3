"""Work of this room: within a minute of a change, sums are told."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from commensal import Instance, Job, NotFound, Periodic, Transaction, Work, promise, sale_by_id

from ..linked_catalogues.backorders.wanting import plan_session
from ..runtime import Federation, federation_of
from .hub import tell_session
from .naming import FETCH, TEND, fetch_names, tend_names
from .onward import pass_on
from .supplier import confirm_again
from .tables import federation_order, federation_order_due

TELL = "federation.tell_orders"
_due = federation_order_due.c
_ANY = select(_due.id).limit(1)
_NAMED = select(federation_order.c.id).where(federation_order.c.names > 0).limit(1)
_ALL = select(federation_order_due).order_by(_due.at, _due.id)
_DONE = delete(federation_order_due).where(_due.kind == bindparam("of"), _due.id == bindparam("which"))


def look_for_changes(tx: Transaction) -> None:
    if tx.first(_ANY) is not None:
        promise(tx, TELL, {})


def look_for_names(tx: Transaction) -> None:
    if tx.first(_NAMED) is not None:
        promise(tx, TEND, {})


def tell_changes(instance: Instance, job: Job) -> None:
    """Sums up every sale and every passed-on order that has changed, each in a transaction of its own."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        due = [(row["kind"], row["id"]) for row in tx.all(_ALL)]
    for kind, id in due:
        with instance.store.write() as tx:
            tx.change(_DONE, {"of": kind, "which": id})
            (_sum_up if kind == "session" else _look_at)(federation, tx, id)


def _sum_up(federation: Federation, tx: Transaction, session_id: str) -> None:
    try:
        sale_by_id(tx, session_id)
    except NotFound:  # a restore has made us forget the sale: its order stands as it was told
        return
    tell_session(federation, tx, session_id)
    plan_session(tx, session_id)


def _look_at(federation: Federation, tx: Transaction, order_id: str) -> None:
    """An order of a hub elsewhere."""
    confirm_again(federation, tx, order_id)
    pass_on(federation, tx, order_id)


def work() -> Work:
    return Work(
        {TELL: tell_changes, FETCH: fetch_names, TEND: tend_names},
        (
            Periodic("federation.orders", timedelta(minutes=1), look_for_changes),
            Periodic("federation.names", timedelta(days=1), look_for_names),
        ),
    )
