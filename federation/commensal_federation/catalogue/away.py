"""Notes what keeps goods from coming: peers that cannot be reached, and days on which a producer brings nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select

from commensal import NotFound, SaleSession, Transaction, sessions_of_shop
from commensal.parts.sale_calendar import absences_of, replace_absences
from commensal.sale_sessions import lots_on_sale

from ..authority.authority import is_frozen
from ..delivery import post
from ..delivery.tables import federation_lane
from ..dfc.iris import enterprise_iri
from ..grants.questions import find_grant, grants_between, mirror_of
from ..grants.tables import federation_lease
from ..messages.catalogue import Absences, CatalogueUpsert, Grant
from ..messages.types import refuse_leap
from ..notices import note_for_enterprise, note_for_operators
from ..peers.tables import federation_peer
from ..runtime import Federation
from .tables import federation_absences

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


# Periods in which a producer brings nothing, told to hubs elsewhere: no sale there has its goods in these days.

_row = federation_absences.c
_LAST = select(_row.rev, _row.periods).where(_row.grant_id == bindparam("grant"))
_FORGET = delete(federation_absences).where(_row.grant_id == bindparam("grant"))


def send_absences(federation: Federation, tx: Transaction, grant: Grant, *, again: bool = False) -> None:
    """Tells the hub of a grant when its producer is away, all periods that are not over, if they have changed."""
    if is_frozen(tx, grant.enterprise_id):
        return
    periods = tuple((absence.first_day, absence.last_day) for absence in absences_of(tx, grant.enterprise_id))
    last = tx.first(_LAST, {"grant": grant.id})
    before = [] if last is None else last["periods"]
    if _as_texts(periods) == before and not (again and last):
        return
    # By the clock, so that numbers grow on after a restore, and at another home.
    rev = int(tx.now.timestamp()) if last is None else max(last["rev"] + 1, int(tx.now.timestamp()))
    absences = Absences(rev=rev, periods=periods)
    _note(tx, grant.id, absences)
    ours = enterprise_iri(federation.base, grant.enterprise_id)
    body = CatalogueUpsert(grantor=ours, hub=grant.other_iri, items=(), absences=absences)
    post(federation, tx, grant.peer_id, "CatalogueUpsert", body, on_behalf_of=ours)


def take_absences(tx: Transaction, hub_id: str, grantor: str, absences: Absences) -> None:
    """Notes when a producer elsewhere is away, unless something newer is known. Raises `Refuse` for a number that is
    far ahead of the clock and of the last one."""
    grant = find_grant(tx, "received", hub_id, grantor)
    last = None if grant is None else tx.first(_LAST, {"grant": grant.id})
    if grant is None or (last is not None and last["rev"] >= absences.rev):
        return
    refuse_leap("Absences", absences.rev, max(int(tx.now.timestamp()), last["rev"] if last is not None else 0))
    _note(tx, grant.id, absences)
    replace_absences(tx, mirror_of(tx, grantor), absences.periods)


def recover_absences(tx: Transaction, grant: Grant, absences: Absences) -> None:
    """Notes what was told before a restore: where something else holds now, that is told as newer."""
    last = tx.first(_LAST, {"grant": grant.id})
    if last is None or last["rev"] < absences.rev:
        _note(tx, grant.id, absences)


def _note(tx: Transaction, grant_id: str, absences: Absences) -> None:
    tx.change(_FORGET, {"grant": grant_id})
    row = {"grant_id": grant_id, "rev": absences.rev, "periods": _as_texts(absences.periods)}
    tx.execute(insert(federation_absences), row)


def _as_texts(periods: Sequence[tuple[object, object]]) -> list[list[str]]:
    return [[str(first), str(last)] for first, last in periods]
