"""The producer's side: one sale, told to all hubs that were granted something, and told again when it changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Transaction

from ..authority.authority import refuse_moving
from ..catalogue.grants import grants_between
from ..delivery import post
from ..dfc.iris import coordination_iri, enterprise_iri
from ..messages.bodies.proposals import ProposedSale, SaleAnswer, SaleProposal
from ..messages.types import Refuse
from ..peers.peers import peer_by_id
from ..peers.values import Peer
from ..runtime import Federation
from .tables import federation_sale

_row = federation_sale.c


def propose_sale(
    federation: Federation,
    tx: Transaction,
    producer_id: str,
    *,
    name: str,
    opens_at: datetime,
    closes_at: datetime,
    begins_at: datetime,
    ends_at: datetime,
    sale: str | None = None,
) -> list[ProposedSale]:
    """Proposes a sale to every hub with a grant, or changes one that was proposed: `sale` is its IRI. Times are aware.

    Returns one row for each hub. Raises `Conflict` for times that cannot be, `NotFound` for a sale that is not there.
    """
    refuse_moving(tx, producer_id)
    if not opens_at < closes_at <= begins_at < ends_at:
        raise Conflict("times", "A sale opens, then closes, then its goods are handed out, in this order.")
    if closes_at <= tx.now:
        raise Conflict("over", "This sale would be over before anyone could order.")
    if sale is not None and not _proposed(tx, producer_id, sale):
        raise NotFound("no_sale", "There is no such proposal.")
    iri = sale or coordination_iri(federation.base, tx.new_id())
    said = {
        "name": name[:200],
        "opens_at": opens_at,
        "closes_at": closes_at,
        "begins_at": begins_at,
        "ends_at": ends_at,
    }
    for grant in grants_between(tx, enterprise_id=producer_id, direction="given", state="accepted"):
        if peer_by_id(tx, grant.peer_id).active:
            about = {"peer_id": grant.peer_id, "other_iri": grant.other_iri, "other_name": grant.other_name}
            _tell(federation, tx, producer_id, iri, {**about, **said})
    return _proposed(tx, producer_id, iri)


def withdraw_sale(federation: Federation, tx: Transaction, producer_id: str, sale: str) -> list[ProposedSale]:
    """It will not be. Hubs that hold it already are told, and decide themselves. Raises `NotFound`."""
    proposed = _proposed(tx, producer_id, sale)
    if not proposed:
        raise NotFound("no_sale", "There is no such proposal.")
    for one in proposed:
        tx.execute(
            update(federation_sale)
            .where(_row.id == one.id)
            .values(state="withdrawn", rev=_row.rev + 1, changed_at=tx.now)
        )
        _post(federation, tx, one.id)
    return _proposed(tx, producer_id, sale)


def sale_answered(federation: Federation, tx: Transaction, peer: Peer, said: SaleAnswer) -> None:
    """Notes which hubs hold it."""
    same = (_row.direction == "proposed", _row.iri == said.iri, _row.other_iri == said.hub, _row.peer_id == peer.id)
    state = "accepted" if said.accepted else "refused"
    if tx.execute(update(federation_sale).where(*same).values(state=state, changed_at=tx.now)).rowcount != 1:
        raise Refuse("no_sale", "There is no such proposal.")


def _proposed(tx: Transaction, producer_id: str, iri: str) -> list[ProposedSale]:
    same = (_row.direction == "proposed", _row.enterprise_id == producer_id, _row.iri == iri)
    rows = tx.all(select(federation_sale).where(*same).order_by(_row.id).with_for_update())
    return [ProposedSale(**row) for row in rows]


def _tell(federation: Federation, tx: Transaction, producer_id: str, iri: str, said: dict[str, Any]) -> None:
    same = (_row.direction == "proposed", _row.enterprise_id == producer_id, _row.iri == iri)
    known = tx.first(select(_row.id).where(*same, _row.other_iri == said["other_iri"]))
    if known is None:
        id = tx.new_id()
        new = {"direction": "proposed", "iri": iri, "enterprise_id": producer_id, "state": "offered", "rev": 1}
        tx.execute(insert(federation_sale), {"id": id, **new, **said, "changed_at": tx.now})
    else:
        id = known["id"]
        changing = update(federation_sale).where(_row.id == id)
        tx.execute(changing.values(**said, rev=_row.rev + 1, changed_at=tx.now))
    _post(federation, tx, id)


def _post(federation: Federation, tx: Transaction, id: str) -> None:
    one = ProposedSale(**tx.one(select(federation_sale).where(_row.id == id)))
    ours = enterprise_iri(federation.base, one.enterprise_id)
    body = SaleProposal(
        iri=one.iri, producer=ours, hub=one.other_iri, name=one.name, opens_at=one.opens_at, closes_at=one.closes_at,
        begins_at=one.begins_at, ends_at=one.ends_at, rev=one.rev, withdrawn=one.state == "withdrawn",
    )  # fmt: skip
    post(federation, tx, one.peer_id, "SaleProposal", body, on_behalf_of=ours)
