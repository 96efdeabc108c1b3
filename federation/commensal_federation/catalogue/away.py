"""Notes peers that cannot be reached: for operators, and for hubs whose customers can order a producer's goods now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, func, or_, select

from commensal import NotFound, SaleSession, Transaction, sessions_of_shop
from commensal.sale_sessions import lots_on_sale

from ..delivery.tables import federation_lane
from ..grants.questions import grants_between, mirror_of
from ..grants.tables import federation_lease
from ..notices import note_for_enterprise, note_for_operators
from ..peers.tables import federation_peer

AWAY = timedelta(hours=1)  # without an answer
_FAILURES = 2  # of pulling, in a row: a peer that is only silent is pulled from
_peer, _lane, _lease = federation_peer.c, federation_lane.c, federation_lease.c
_PULLS_FAIL = exists().where(_lane.peer_id == _peer.id, _lane.direction == "in", _lane.failures >= _FAILURES)
_AWAY = (
    select(_peer.id, func.coalesce(_peer.failing_since, _peer.last_seen_at, _peer.accepted_at).label("since"))
    .where(_peer.state == "accepted")
    .where(
        or_(
            and_(_peer.breaker == "open", _peer.failing_since < bindparam("before")),
            and_(_PULLS_FAIL, func.coalesce(_peer.last_seen_at, _peer.accepted_at) < bindparam("before")),
        )
    )
    .order_by(_peer.id)
)
_HELD = select(_lease.lot_id).where(
    _lease.role == "holder", _lease.peer_id == bindparam("peer"), _lease.enterprise_id == bindparam("producer")
)


def away_peers(tx: Transaction) -> list[tuple[str, datetime]]:
    """Returns the ids of the peers that have not answered for `AWAY`, each with since when (UTC)."""
    return [(row["id"], row["since"]) for row in tx.all(_AWAY, {"before": tx.now - AWAY})]


def note_away_peers(tx: Transaction) -> None:
    """Notes each peer that is away, for operators and for the hubs that are selling its goods."""
    for peer_id, since in away_peers(tx):
        note_for_operators(tx, "away", peer_id, f"{since:%Y-%m-%d %H:%M} UTC")
        _note_for_hubs(tx, peer_id, since)


def _note_for_hubs(tx: Transaction, peer_id: str, since: datetime) -> None:
    for grant in grants_between(tx, peer_id=peer_id, direction="received", state="accepted"):
        sale = _open_sale(tx, grant.enterprise_id)
        if sale is None or not _is_on_sale(tx, peer_id, grant.other_iri):
            continue
        note_for_enterprise(
            tx,
            grant.enterprise_id,
            "producer_away",
            peer_id,
            grant.id,
            producer=grant.other_name,
            since=since,
            sale=sale.name,
            closes=sale.closes_at,
        )


def _open_sale(tx: Transaction, hub_id: str) -> SaleSession | None:
    """The hub's open sale that closes first."""
    sales = [
        sale
        for sale in sessions_of_shop(tx, hub_id)
        if sale.opens_at <= tx.now < sale.closes_at and sale.cancelled_at is None
    ]
    return min(sales, key=lambda sale: sale.closes_at, default=None)


def _is_on_sale(tx: Transaction, peer_id: str, producer_iri: str) -> bool:
    """Whether some lot that is leased of this producer is on sale here."""
    try:
        producer_id = mirror_of(tx, producer_iri)
    except NotFound:
        return False
    lot_ids = [row["lot_id"] for row in tx.all(_HELD, {"peer": peer_id, "producer": producer_id})]
    return bool(lots_on_sale(tx, lot_ids, before=tx.now))
