"""The upkeep of leases every minute: holders report, request and return units; lenders serve waiting customers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue

from ..delivery.restore.restored import notice_restore
from ..grants.tables import federation_lease
from ..peers.peers import peer_by_id
from ..runtime import federation_of
from .holder import maintain_holding
from .lender import drop_expired_waits, serve_waiting
from .on_demand import RETURN_UNUSED
from .restored import TELL_OVERLENT, tell_overlent

UPKEEP = "federation.mind_leases"
_AT_ONCE = 200  # leases of one job
_row = federation_lease.c
_ALL = select(_row.id).order_by(_row.id)
_SOME = (
    select(_row.role, _row.peer_id, _row.lot_id, _row.wanted)
    .where(_row.id > bindparam("after"), _row.id <= bindparam("last"))
    .order_by(_row.id)
)


def enqueue_upkeep(tx: Transaction) -> None:
    """Enqueues jobs of at most `_AT_ONCE` leases each; a job records its failure and is tried again."""
    last, ids = "", [row["id"] for row in tx.all(_ALL)]
    for first in range(0, len(ids), _AT_ONCE):
        chunk = ids[first : first + _AT_ONCE]
        enqueue(tx, UPKEEP, {"after": last, "last": chunk[-1]})
        last = chunk[-1]


def run_upkeep(instance: Instance, job: Job) -> None:
    """Maintains each lease of the job in a transaction of its own, so that none waits for another."""
    federation = federation_of(instance)
    notice_restore(federation)  # even with nothing to send: an instance that forgot orders must not wait for a question
    with instance.store.read() as tx:
        rows = tx.all(_SOME, {"after": job.payload["after"], "last": job.payload["last"]})
        active = {row["peer_id"] for row in rows if peer_by_id(tx, row["peer_id"]).active}
    for row in rows:
        if row["peer_id"] not in active:
            continue
        with instance.store.write() as tx:
            if row["role"] == "holder":
                maintain_holding(federation, tx, row["peer_id"], row["lot_id"])
            elif row["wanted"]:
                drop_expired_waits(tx, row["lot_id"])
                serve_waiting(federation, tx, row["lot_id"])


def return_unused(instance: Instance, job: Job) -> None:
    """Returns units that were granted for a customer and not used."""
    federation, peer_id = federation_of(instance), job.payload["peer"]
    with instance.store.write() as tx:
        if peer_by_id(tx, peer_id).active:
            maintain_holding(federation, tx, peer_id, job.payload["lot"])


def work() -> Work:
    return Work(
        {UPKEEP: run_upkeep, RETURN_UNUSED: return_unused, TELL_OVERLENT: tell_overlent},
        (Periodic("federation.leases", timedelta(minutes=1), enqueue_upkeep),),
    )
