"""What happens every minute: holders tell, ask and give back; lenders serve those who wait."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select

from commensal import Instance, Job, Periodic, Transaction, Work, promise

from ..delivery.restore.restored import notice_restore
from ..peers.peers import peer_by_id
from ..runtime import federation_of
from .bringing import LOOK
from .holder import mind
from .lender import forget_wants, serve_wants
from .tables import federation_lease

MIND = "federation.mind_leases"
_AT_ONCE = 200  # leases of one job
_row = federation_lease.c
_ALL = select(_row.id).order_by(_row.id)
_SOME = (
    select(_row.role, _row.peer_id, _row.lot_id, _row.wanted)
    .where(_row.id > bindparam("after"), _row.id <= bindparam("last"))
    .order_by(_row.id)
)


def mind_leases(tx: Transaction) -> None:
    """Promises the work, in parts: it belongs to a job, which can say what went wrong and come back."""
    last, ids = "", [row["id"] for row in tx.all(_ALL)]
    for first in range(0, len(ids), _AT_ONCE):
        part = ids[first : first + _AT_ONCE]
        promise(tx, MIND, {"after": last, "last": part[-1]})
        last = part[-1]


def mind_some(instance: Instance, job: Job) -> None:
    """Each lease in a transaction of its own, so that none waits for another."""
    federation = federation_of(instance)
    notice_restore(federation)  # also where nothing is to be said: who has forgotten orders must not wait to be asked
    with instance.store.read() as tx:
        rows = tx.all(_SOME, {"after": job.payload["after"], "last": job.payload["last"]})
        active = {row["peer_id"] for row in rows if peer_by_id(tx, row["peer_id"]).active}
    for row in rows:
        if row["peer_id"] not in active:
            continue
        with instance.store.write() as tx:
            if row["role"] == "holder":
                mind(federation, tx, row["peer_id"], row["lot_id"])
            elif row["wanted"]:
                forget_wants(tx, row["lot_id"])
                serve_wants(federation, tx, row["lot_id"])


def look(instance: Instance, job: Job) -> None:
    """Whether what came for a customer was needed: where it was not, it goes home."""
    federation, peer_id = federation_of(instance), job.payload["peer"]
    with instance.store.write() as tx:
        if peer_by_id(tx, peer_id).active:
            mind(federation, tx, peer_id, job.payload["lot"])


def work() -> Work:
    return Work({MIND: mind_some, LOOK: look}, (Periodic("federation.leases", timedelta(minutes=1), mind_leases),))
