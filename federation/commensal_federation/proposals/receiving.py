"""The hub's side of proposals: an accepted sale becomes one of its own, with its own catalogue and prices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Refused, SaleSession, Transaction, plugin_settings
from commensal.catalogs import first_catalog
from commensal.orders import cancel_coordination, orders_of_session
from commensal.sale_sessions import (
    Coordination,
    Supplier,
    add_session,
    change_coordination,
    change_session,
    coordination_by_id,
    open_coordination,
    put_on_sale,
    sessions_of,
)

from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import enterprise_iri, local_id
from ..grants.questions import find_grant, mirror_of
from ..messages.proposals import ProposedSale, SaleAnswer, SaleProposal
from ..messages.types import Refuse, refuse_leap
from ..notices import forget_notice, note_for_enterprise
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_sale

# A hub's own sale follows the changes of the proposal that it came from, as far as nobody's decision is overridden.


def accepts_automatically(federation: Federation, tx: Transaction, hub: str) -> bool:
    """Whether proposed sales are opened at this hub, and changed ones followed, without a person."""
    hooks = federation.instance.hooks
    return plugin_settings(tx, hooks, hub, "federation", EnterpriseFederation).accept_sales


def follow_change(
    federation: Federation, tx: Transaction, peer: Peer, accepted: ProposedSale, proposal: SaleProposal
) -> bool:
    """Changes or cancels the sale that the hub opened for `accepted`, as `proposal` says, where the hub accepts sales
    automatically. Otherwise, and where the hub's people must decide, it adds an alert and returns False."""
    hub = accepted.enterprise_id
    event = "was withdrawn" if proposal.withdrawn else "has changed"
    text = f"The sale {proposal.name[:100]}, which {hub} holds, {event} at home."
    if not accepts_automatically(federation, tx, hub):
        alert(tx, peer.id, "sale", text)
        return False
    try:
        with tx.attempt():
            _follow(federation, tx, accepted, proposal)
    except Refused as refused:
        alert(tx, peer.id, "sale", f"{text} It does not follow by itself: {refused}")
        return False
    return True


def _follow(federation: Federation, tx: Transaction, accepted: ProposedSale, proposal: SaleProposal) -> None:
    """Raises `Conflict` if the hub has changed its sale itself, or if customers have ordered for another distribution.

    An earlier or a later closing leaves their orders as they are.
    """
    hub, coordination_id = accepted.enterprise_id, accepted.coordination_id or ""
    sale = coordination_by_id(tx, coordination_id, hub)
    sessions = sessions_of(tx, coordination_id, hub)
    if not _is_as_proposed(sale, sessions, accepted):
        raise Conflict("changed_here", "The hub has changed its sale itself.")
    if proposal.withdrawn:
        cancel_coordination(tx, sale.id, hub, sale.version)
        tx.execute(update(federation_sale).where(federation_sale.c.id == accepted.id).values(state="withdrawn"))
        return
    session, distribution = sessions[0], (proposal.begins_at, proposal.ends_at)
    is_moved = (session.begins_at, session.ends_at) != distribution
    if is_moved and orders_of_session(tx, session.enterprise_id, session.id, limit=1):
        raise Conflict("has_orders", "Customers have ordered for the distribution that was announced.")
    name = proposal.name[:200] if sale.name == accepted.name else sale.name
    change_coordination(
        tx, sale.id, hub, sale.version, name=name, opens_at=proposal.opens_at, closes_at=proposal.closes_at
    )
    (session,) = sessions_of(tx, sale.id, hub)
    change_session(
        tx,
        federation.instance.hooks,
        session.id,
        hub,
        session.version,
        begins_at=distribution[0],
        ends_at=distribution[1],
    )


def _is_as_proposed(sale: Coordination, sessions: Sequence[SaleSession], proposal: ProposedSale) -> bool:
    """Whether the hub's sale has the proposed times, at one shop."""
    actual = [(sale.opens_at, sale.closes_at, session.begins_at, session.ends_at) for session in sessions]
    return actual == [(proposal.opens_at, proposal.closes_at, proposal.begins_at, proposal.ends_at)]


_row = federation_sale.c


def take_proposal(federation: Federation, tx: Transaction, peer: Peer, proposal: SaleProposal) -> None:
    """Stores a proposal, if it is newer than the stored one. If the hub's setting says so, accepts a new one, and lets
    the hub's sale follow a changed one.

    Raises `Refuse` without a grant, and for an IRI that is not the peer's.
    """
    hub = local_id(federation.base, proposal.hub, "enterprises") or ""
    grant = find_grant(tx, "received", hub, proposal.producer)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        raise Refuse("no_grant", "There is no such grant, or nobody has taken it here.")
    if local_id(peer.base, proposal.iri, "coordinations") is None:
        raise Refuse("authority", "An instance names its sales by its own address.")
    matching = (_row.direction == "received", _row.enterprise_id == hub, _row.iri == proposal.iri)
    existing = tx.first(select(federation_sale).where(*matching).with_for_update())
    if existing is not None and proposal.rev <= existing["rev"]:
        return
    refuse_leap("Revision", proposal.rev, existing["rev"] if existing is not None else 0)
    state = existing["state"] if existing is not None and existing["state"] in ("accepted", "refused") else "offered"
    values: dict[str, object] = {
        "name": proposal.name[:200],
        "opens_at": proposal.opens_at,
        "closes_at": proposal.closes_at,
        "begins_at": proposal.begins_at,
        "ends_at": proposal.ends_at,
        "rev": proposal.rev,
        "changed_at": tx.now,
        "state": "withdrawn" if proposal.withdrawn and state != "accepted" else state,
    }
    if existing is not None:
        tx.execute(update(federation_sale).where(_row.id == existing["id"]).values(values))
        if state == "accepted":
            if not follow_change(federation, tx, peer, ProposedSale(**existing), proposal):
                _note(tx, "sale_changed", proposal_of(tx, hub, existing["id"]))
        else:
            _take_offer(federation, tx, peer, proposal_of(tx, hub, existing["id"]))
        return
    refuse_over_quota(tx, peer, federation_sale, 1)
    id = tx.new_id()
    ours = {"direction": "received", "iri": proposal.iri, "peer_id": peer.id, "enterprise_id": hub}
    theirs = {"other_iri": proposal.producer, "other_name": grant.other_name}
    tx.execute(insert(federation_sale), {"id": id, **ours, **theirs, **values})
    _take_offer(federation, tx, peer, proposal_of(tx, hub, id))


def accept_sale(
    federation: Federation, tx: Transaction, hub: str, proposal_id: str, *, catalog_id: str | None = None
) -> ProposedSale:
    """Opens a sale of the hub's own at the proposed times, with all goods of the producer that its catalog lists.

    `catalog_id` None: the catalog that follows the producer, or else the hub's first. Raises `NotFound`, `Conflict` for
    a proposal that is not open any more, `Invalid` for times that have passed.
    """
    proposal = proposal_of(tx, hub, proposal_id)
    if proposal.direction != "received" or proposal.state not in ("offered", "refused"):
        raise Conflict("not_open", "This proposal is {state}.", state=proposal.state)
    grant = find_grant(tx, "received", hub, proposal.other_iri)
    catalog = catalog_id or (grant.catalog_id if grant else None) or first_catalog(tx, hub).id
    sale = open_coordination(
        tx,
        coordinator_id=hub,
        name=proposal.name,
        opens_at=proposal.opens_at,
        closes_at=proposal.closes_at,
        suppliers=[Supplier(enterprise_id=mirror_of(tx, proposal.other_iri))],
    )
    session = add_session(
        tx, sale.id, hub, shop_id=hub, catalog_id=catalog, begins_at=proposal.begins_at, ends_at=proposal.ends_at
    )
    put_on_sale(tx, session.id, hub)
    _update(tx, proposal.id, state="accepted", coordination_id=sale.id)
    _answer(federation, tx, proposal, accepted=True)
    forget_notice(tx, hub, "sale_proposed", proposal.id)
    return proposal_of(tx, hub, proposal_id)


def refuse_sale(federation: Federation, tx: Transaction, hub: str, proposal_id: str) -> ProposedSale:
    """Refuses an offered sale. Raises `NotFound`, `Conflict` for one that is not on offer any more."""
    proposal = proposal_of(tx, hub, proposal_id)
    if proposal.direction != "received" or proposal.state != "offered":
        raise Conflict("not_open", "This proposal is {state}.", state=proposal.state)
    _update(tx, proposal.id, state="refused")
    forget_notice(tx, hub, "sale_proposed", proposal.id)
    _answer(federation, tx, proposal, accepted=False)
    return proposal_of(tx, hub, proposal_id)


def proposal_of(tx: Transaction, enterprise_id: str, proposal_id: str) -> ProposedSale:
    """Returns one proposal of, or to, this enterprise. Raises `NotFound`."""
    row = tx.first(select(federation_sale).where(_row.id == proposal_id, _row.enterprise_id == enterprise_id))
    if row is None:
        raise NotFound("no_sale", "There is no such proposal.")
    return ProposedSale(**row)


def proposals_of(
    tx: Transaction, enterprise_id: str, *, after: str = "", limit: int | None = None
) -> list[ProposedSale]:
    """Returns all proposals of the enterprise, or the first `limit`, the newest first, beyond the id `after`."""
    query = select(federation_sale).where(_row.enterprise_id == enterprise_id)
    if after:
        query = query.where(_row.id < after)
    return [ProposedSale(**row) for row in tx.all(query.order_by(_row.id.desc()).limit(limit))]


def _take_offer(federation: Federation, tx: Transaction, peer: Peer, sale: ProposedSale) -> None:
    """Accepts an offered sale automatically if the hub's setting says so; else its people are mailed."""
    if sale.state == "offered":
        _accept_automatically(federation, tx, sale.enterprise_id, sale.id, peer)
    if proposal_of(tx, sale.enterprise_id, sale.id).state == "offered":
        _note(tx, "sale_proposed", sale)
    else:
        forget_notice(tx, sale.enterprise_id, "sale_proposed", sale.id)


def _note(tx: Transaction, kind: str, sale: ProposedSale) -> None:
    note_for_enterprise(
        tx,
        sale.enterprise_id,
        kind,
        sale.peer_id,
        sale.id,
        producer=sale.other_name,
        sale=sale.name,
        proposal=sale.id,
        opens=sale.opens_at,
        closes=sale.closes_at,
        begins=sale.begins_at,
    )


def _accept_automatically(federation: Federation, tx: Transaction, hub: str, id: str, peer: Peer) -> None:
    """Accepts a sale without a person if the hub's setting says so; one that cannot be accepted waits for people, with
    an alert."""
    if not accepts_automatically(federation, tx, hub):
        return
    try:
        with tx.attempt():
            accept_sale(federation, tx, hub, id)
    except Refused as refused:
        alert(tx, peer.id, "sale", f"A proposed sale could not be held by itself: {refused}")


def _update(tx: Transaction, id: str, **values: object) -> None:
    tx.execute(update(federation_sale).where(_row.id == id).values(**values, changed_at=tx.now))


def _answer(federation: Federation, tx: Transaction, proposal: ProposedSale, *, accepted: bool) -> None:
    ours = enterprise_iri(federation.base, proposal.enterprise_id)
    body = SaleAnswer(iri=proposal.iri, hub=ours, accepted=accepted)
    post(federation, tx, proposal.peer_id, "SaleAnswer", body, on_behalf_of=ours)
