"""Problems of trade with peers: those that last, for health and ``commensal check``, and others for `check` alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from commensal import Problem, Transaction, enterprise_by_id
from commensal.parts.mail import operators

from ..catalogue.away import away_peers
from ..delivery.alerts import Alert, alerts
from ..notices import CONDITIONS, alert_title
from ..orders.tables import federation_order, federation_order_line
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer

RECENT = timedelta(days=1)  # an alert about a peer is a reason of health for so long
_MOST = 50  # problems of one kind
_peer, _order, _line = federation_peer.c, federation_order.c, federation_order_line.c
_STOPPED = (
    select(_peer.id, _peer.refusing, _peer.barrier)
    .where(_peer.state == "accepted", or_(_peer.refusing, _peer.barrier))
    .order_by(_peer.id)
    .limit(_MOST)
)
_WAITING_ORDERS = (
    select(_order.enterprise_id, func.count(_order.id.distinct()).label("count"))
    .join(federation_order_line, _line.order_id == _order.id)
    .where(_order.role == "supplier", _order.state == "Complete", _line.answer == "", _line.quantity > 0)
    .group_by(_order.enterprise_id)
    .order_by(_order.enterprise_id)
    .limit(_MOST)
)


def peer_conditions(tx: Transaction) -> Iterator[Problem]:
    """Yields peers that do not answer, that refuse to trade, or that hold up sales after a restore, and the alerts of
    the last day about which operators are mailed."""
    for peer_id, since in away_peers(tx)[:_MOST]:
        text = (
            "{peer} has not answered since {since:%Y-%m-%d %H:%M} UTC: orders and answers wait; "
            "`commensal federation peer probe {url}` tries it now."
        )
        yield Problem("peer_away", text, values={**_names(tx, peer_id), "since": since})
    for row in tx.all(_STOPPED):
        if row["refusing"]:
            text = "{peer} ({url}) refuses to trade with this instance: none of its goods is sold; call its operator."
            yield Problem("peer_refuses", text, values=_names(tx, row["id"]))
        if row["barrier"]:
            text = (
                "{peer} has not said what it holds since the restore, so that is not sold; wait for it, or run "
                "`commensal federation peer go-on-without {url}`."
            )
            yield Problem("peer_barrier", text, values=_names(tx, row["id"]))
    yield from (_problem(tx, alert) for alert in _alerts(tx, of_health=True))


def silent_peers(tx: Transaction) -> Iterator[tuple[str, datetime]]:
    """Yields the name of each peer that does not answer, and since when (UTC)."""
    for peer_id, since in away_peers(tx)[:_MOST]:
        yield peer_by_id(tx, peer_id).name, since


def peer_warnings(tx: Transaction) -> Iterator[Problem]:
    """Yields the other alerts, producers who owe hubs an answer, and that nobody would be mailed."""
    yield from (_problem(tx, alert) for alert in _alerts(tx, of_health=False))
    for row in tx.all(_WAITING_ORDERS):
        producer = enterprise_by_id(tx, row["enterprise_id"])
        text = "{name} has not answered orders of hubs: {count}; see `commensal federation order list {slug}`."
        yield Problem("orders_wait", text, values={"name": producer.name, "slug": producer.slug, "count": row["count"]})
    if not operators(tx) and tx.first(select(_peer.id).where(_peer.state != "revoked").limit(1)) is not None:
        text = (
            "No operator has an account, so nobody is mailed about trouble with peers; run `commensal user --operator`."
        )
        yield Problem("no_operator", text)


def _alerts(tx: Transaction, *, of_health: bool) -> Sequence[Alert]:
    """The alerts that are reasons of health, or all others."""
    selected = [
        alert for alert in alerts(tx) if (alert.kind in CONDITIONS and alert.last_at > tx.now - RECENT) == of_health
    ]
    return selected[:_MOST]


def _problem(tx: Transaction, alert: Alert) -> Problem:
    text = "{peer}: {title} {text} Then run `commensal federation peer dismiss {url} {kind}`."
    values = {"title": Problem(alert.kind, alert_title(alert.kind, str)), "text": alert.text, "kind": alert.kind}
    return Problem("peer_alert", text, values={**_names(tx, alert.peer_id), **values})


def _names(tx: Transaction, peer_id: str) -> dict[str, object]:
    peer = peer_by_id(tx, peer_id)
    return {"peer": peer.name, "url": peer.base}
