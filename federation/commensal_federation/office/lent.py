"""Stock that is lent, for operators: who holds how much of what until when, and what is promised twice."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Conflict, NotFound, Screen, Transaction, enterprises_by_id
from commensal.pages import Visit, on_refusal

from ..delivery.alerts import alerts
from ..leases.lender import accept_late, force_return
from ..leases.row import lease_of, leases
from ..messages.leases import Lease
from ..peering.deciding import go_on_without
from ..peers.peers import peer_by_id, peers
from ..runtime import federation_of

PATH = "leases"
HERE = f"/office/instance/{PATH}"
_SHOWN = 500


def lent_page(visit: Visit, enterprise: None) -> Screen:
    after = visit.query.get("after", "")
    with visit.read() as tx:
        rows = leases(tx, after=after, limit=_SHOWN)
        names = {id: each.name for id, each in enterprises_by_id(tx, {row.enterprise_id for row in rows}).items()}
        overlent = [(peer_by_id(tx, alert.peer_id).name, alert) for alert in alerts(tx) if alert.kind == "overlent"]
        waiting = [peer for peer in peers(tx) if peer.barrier]
    context = {
        "lent": [row for row in rows if row.role == "lender" and (row.out or row.late)],
        "held": [row for row in rows if row.role == "holder" and (row.held or row.late)],
        "names": names,
        "overlent": overlent,
        "waiting": waiting,
        "here": HERE,
        "more": rows[-1].id if len(rows) == _SHOWN else "",
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/lent.html", context=context)


@on_refusal(lent_page)
def post_lent(visit: Visit, enterprise: None) -> Screen | Response:
    """Takes stock back, grants late sales, or sells without waiting for a neighbour. Taking back and not waiting show a
    preview first."""
    action = visit.query.get("then", "")
    if action in ("force", "go-on") and visit.form.get("sure") != "1":
        return _sure_page(visit, action)
    with visit.write() as tx:
        _act(visit, tx, action)
    return visit.redirect(f"{HERE}?done={action}")


def _act(visit: Visit, tx: Transaction, action: str) -> None:
    federation = federation_of(visit.instance)
    if action == "force":
        force_return(federation, tx, _lease(visit, tx).id)
    elif action == "late":
        lease = _lease(visit, tx)
        if not accept_late(federation, tx, lease.id):
            text = (
                "Less is free than the {late} {unit} that were sold late: count your stock, or refuse the order's line."
            )
            raise Conflict("not_enough", text, late=lease.late, unit=lease.unit)
    elif action == "go-on":
        go_on_without(tx, visit.form.get("peer", ""))
    else:
        raise NotFound


def _lease(visit: Visit, tx: Transaction) -> Lease:
    return lease_of(tx, visit.form.get("enterprise", ""), visit.form.get("lease", ""), role="lender")


def _sure_page(visit: Visit, action: str) -> Screen:
    with visit.read() as tx:
        lease = _lease(visit, tx) if action == "force" else None
        peer = peer_by_id(tx, visit.form.get("peer", "") if lease is None else lease.peer_id)
        stocks = [
            row for row in leases(tx, limit=_SHOWN) if row.peer_id == peer.id and row.role == "lender" and row.out
        ]
    context = {"action": action, "lease": lease, "peer": peer, "stocks": stocks, "here": HERE}
    return Screen(template="federation/taking_back.html", context=context)
