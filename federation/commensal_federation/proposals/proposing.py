"""The producer's side of proposals: one sale is sent to all hubs with a grant, and again when it changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Transaction

from ..authority.authority import refuse_moving
from ..delivery import post
from ..dfc.iris import coordination_iri, enterprise_iri
from ..grants.questions import grants_between
from ..messages.proposals import ProposedSale, SaleAnswer, SaleProposal
from ..messages.types import Refuse
from ..peers.peers import Peer, peer_by_id
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
    """Proposes a sale to every hub with a grant, or changes the proposed sale with the IRI `sale`.

    Times are aware datetimes. Returns one proposal for each hub. Raises `Conflict` for impossible times and while the
    enterprise moves, `NotFound` for an unknown sale.
    """
    refuse_moving(tx, producer_id)
    if not opens_at < closes_at <= begins_at < ends_at:
        raise Conflict("times", "A sale opens, then closes, then its goods are handed out, in this order.")
    if closes_at <= tx.now:
        raise Conflict("over", "This sale would be over before anyone could order.")
    if sale is not None and not _proposals(tx, producer_id, sale):
        raise NotFound("no_sale", "There is no such proposal.")
    iri = sale or coordination_iri(federation.base, tx.new_id())
    terms = {
        "name": name[:200],
        "opens_at": opens_at,
        "closes_at": closes_at,
        "begins_at": begins_at,
        "ends_at": ends_at,
    }
    for grant in grants_between(tx, enterprise_id=producer_id, direction="given", state="accepted"):
        if peer_by_id(tx, grant.peer_id).active:
            recipient = {"peer_id": grant.peer_id, "other_iri": grant.other_iri, "other_name": grant.other_name}
            _send_to_hub(federation, tx, producer_id, iri, {**recipient, **terms})
    return _proposals(tx, producer_id, iri)


def withdraw_sale(federation: Federation, tx: Transaction, producer_id: str, sale: str) -> list[ProposedSale]:
    """Withdraws a sale. Hubs that have accepted it are notified and decide themselves. Raises `NotFound`."""
    proposed = _proposals(tx, producer_id, sale)
    if not proposed:
        raise NotFound("no_sale", "There is no such proposal.")
    for proposal in proposed:
        tx.execute(
            update(federation_sale)
            .where(_row.id == proposal.id)
            .values(state="withdrawn", rev=_row.rev + 1, changed_at=tx.now)
        )
        _post(federation, tx, proposal.id)
    return _proposals(tx, producer_id, sale)


def take_sale_answer(federation: Federation, tx: Transaction, peer: Peer, answer: SaleAnswer) -> None:
    """Stores a hub's answer. Raises `Refuse` for an unknown proposal."""
    matching = (
        _row.direction == "proposed",
        _row.iri == answer.iri,
        _row.other_iri == answer.hub,
        _row.peer_id == peer.id,
    )
    state = "accepted" if answer.accepted else "refused"
    if tx.execute(update(federation_sale).where(*matching).values(state=state, changed_at=tx.now)).rowcount != 1:
        raise Refuse("no_sale", "There is no such proposal.")


def _proposals(tx: Transaction, producer_id: str, iri: str) -> list[ProposedSale]:
    matching = (_row.direction == "proposed", _row.enterprise_id == producer_id, _row.iri == iri)
    rows = tx.all(select(federation_sale).where(*matching).order_by(_row.id).with_for_update())
    return [ProposedSale(**row) for row in rows]


def _send_to_hub(
    federation: Federation, tx: Transaction, producer_id: str, iri: str, values: dict[str, object]
) -> None:
    matching = (_row.direction == "proposed", _row.enterprise_id == producer_id, _row.iri == iri)
    existing = tx.first(select(_row.id).where(*matching, _row.other_iri == values["other_iri"]))
    if existing is None:
        id = tx.new_id()
        proposal = {"direction": "proposed", "iri": iri, "enterprise_id": producer_id, "state": "offered", "rev": 1}
        tx.execute(insert(federation_sale), {"id": id, **proposal, **values, "changed_at": tx.now})
    else:
        id = existing["id"]
        change = update(federation_sale).where(_row.id == id)
        tx.execute(change.values(**values, rev=_row.rev + 1, changed_at=tx.now))
    _post(federation, tx, id)


def _post(federation: Federation, tx: Transaction, id: str) -> None:
    proposal = ProposedSale(**tx.one(select(federation_sale).where(_row.id == id)))
    ours = enterprise_iri(federation.base, proposal.enterprise_id)
    body = SaleProposal(
        iri=proposal.iri,
        producer=ours,
        hub=proposal.other_iri,
        name=proposal.name,
        opens_at=proposal.opens_at,
        closes_at=proposal.closes_at,
        begins_at=proposal.begins_at,
        ends_at=proposal.ends_at,
        rev=proposal.rev,
        withdrawn=proposal.state == "withdrawn",
    )
    post(federation, tx, proposal.peer_id, "SaleProposal", body, on_behalf_of=ours)
