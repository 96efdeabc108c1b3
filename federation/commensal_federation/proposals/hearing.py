"""The hub's side: a proposed sale becomes one of its own, with its own catalogue and prices."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from commensal import (
    Conflict,
    NotFound,
    Refused,
    Supplier,
    Transaction,
    add_session,
    catalogs_of,
    open_coordination,
    plugin_settings,
    put_on_sale,
)

from ..catalogue.grants import find_grant, mirror_of
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import enterprise_iri, local_id
from ..messages.bodies.proposals import ProposedSale, SaleAnswer, SaleProposal
from ..messages.types import Refuse
from ..peers.quotas import refuse_crowd
from ..peers.values import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_sale

_row = federation_sale.c


def sale_proposed(federation: Federation, tx: Transaction, peer: Peer, said: SaleProposal) -> None:
    """Keeps the proposal, if it is newer than what is known; holds the sale at once where the hub has said so."""
    hub = local_id(federation.base, said.hub, "enterprises") or ""
    grant = find_grant(tx, "received", hub, said.producer)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        raise Refuse("no_grant", "There is no such grant, or nobody has taken it here.")
    if local_id(peer.base, said.iri, "coordinations") is None:
        raise Refuse("authority", "An instance names its sales by its own address.")
    same = (_row.direction == "received", _row.enterprise_id == hub, _row.iri == said.iri)
    known = tx.first(select(_row.id, _row.rev, _row.state).where(*same).with_for_update())
    if known is not None and said.rev <= known["rev"]:
        return
    kept = known["state"] if known is not None and known["state"] in ("accepted", "refused") else "offered"
    values: dict[str, Any] = {
        "name": said.name[:200], "opens_at": said.opens_at, "closes_at": said.closes_at, "begins_at": said.begins_at,
        "ends_at": said.ends_at, "rev": said.rev, "changed_at": tx.now,
        "state": "withdrawn" if said.withdrawn and kept != "accepted" else kept,
    }  # fmt: skip
    if known is not None:
        tx.execute(update(federation_sale).where(_row.id == known["id"]).values(values))
        if kept == "accepted":
            what = "was withdrawn" if said.withdrawn else "has changed"
            alert(
                tx, peer.id, "sale", f"The sale {said.name[:100]}, which {grant.enterprise_id} holds, {what} at home."
            )
        return
    refuse_crowd(tx, peer, federation_sale, 1)
    id = tx.new_id()
    new = {"direction": "received", "iri": said.iri, "peer_id": peer.id, "enterprise_id": hub}
    other = {"other_iri": said.producer, "other_name": grant.other_name}
    tx.execute(insert(federation_sale), {"id": id, **new, **other, **values})
    if values["state"] == "offered" and _by_itself(federation, tx, hub):
        _try(federation, tx, hub, id, peer)


def accept_sale(
    federation: Federation, tx: Transaction, hub: str, proposal_id: str, *, catalog_id: str | None = None
) -> ProposedSale:
    """Makes a sale of the hub's own, at the proposed times: all that its catalog lists of the producer is on sale.

    `catalog_id` None: the catalog that follows the producer, or else the hub's first. Raises `NotFound`, `Conflict` for
    a proposal that is not open any more, `Invalid` for times that have passed.
    """
    one = proposal_of(tx, hub, proposal_id)
    if one.direction != "received" or one.state not in ("offered", "refused"):
        raise Conflict("not_open", "This proposal is {state}.", state=one.state)
    grant = find_grant(tx, "received", hub, one.other_iri)
    catalog = catalog_id or (grant.catalog_id if grant else None) or _first_catalog(tx, hub)
    sale = open_coordination(
        tx, coordinator_id=hub, name=one.name, opens_at=one.opens_at, closes_at=one.closes_at,
        suppliers=[Supplier(enterprise_id=mirror_of(tx, one.other_iri))],
    )  # fmt: skip
    session = add_session(
        tx, sale.id, hub, shop_id=hub, catalog_id=catalog, begins_at=one.begins_at, ends_at=one.ends_at
    )
    put_on_sale(tx, session.id, hub)
    _set(tx, one.id, state="accepted", coordination_id=sale.id)
    _answer(federation, tx, one, accepted=True)
    return proposal_of(tx, hub, proposal_id)


def refuse_sale(federation: Federation, tx: Transaction, hub: str, proposal_id: str) -> ProposedSale:
    """The hub does not hold it. Raises `NotFound`, `Conflict` where it does already."""
    one = proposal_of(tx, hub, proposal_id)
    if one.direction != "received" or one.state != "offered":
        raise Conflict("not_open", "This proposal is {state}.", state=one.state)
    _set(tx, one.id, state="refused")
    _answer(federation, tx, one, accepted=False)
    return proposal_of(tx, hub, proposal_id)


def proposal_of(tx: Transaction, enterprise_id: str, proposal_id: str) -> ProposedSale:
    """One proposal of, or to, this enterprise. Raises `NotFound`."""
    row = tx.first(select(federation_sale).where(_row.id == proposal_id, _row.enterprise_id == enterprise_id))
    if row is None:
        raise NotFound("no_sale", "There is no such proposal.")
    return ProposedSale(**row)


def proposals_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[ProposedSale]:
    """All of them, the newest first. `after` is the last id of the page before."""
    wanted = select(federation_sale).where(_row.enterprise_id == enterprise_id)
    if after:
        wanted = wanted.where(_row.id < after)
    return [ProposedSale(**row) for row in tx.all(wanted.order_by(_row.id.desc()).limit(limit))]


def _try(federation: Federation, tx: Transaction, hub: str, id: str, peer: Peer) -> None:
    """A sale that cannot be held by itself waits for people."""
    try:
        with tx.attempt():
            accept_sale(federation, tx, hub, id)
    except Refused as refused:
        alert(tx, peer.id, "sale", f"A proposed sale could not be held by itself: {refused}")


def _by_itself(federation: Federation, tx: Transaction, hub: str) -> bool:
    hooks = federation.instance.hooks
    return plugin_settings(tx, hooks, hub, "federation", EnterpriseFederation).accept_sales


def _first_catalog(tx: Transaction, hub: str) -> str:
    found = catalogs_of(tx, hub, limit=1)
    if not found:
        raise Conflict("no_catalog", "The hub has no catalog yet.")
    return found[0].id


def _set(tx: Transaction, id: str, **values: Any) -> None:
    tx.execute(update(federation_sale).where(_row.id == id).values(**values, changed_at=tx.now))


def _answer(federation: Federation, tx: Transaction, one: ProposedSale, *, accepted: bool) -> None:
    ours = enterprise_iri(federation.base, one.enterprise_id)
    body = SaleAnswer(iri=one.iri, hub=ours, accepted=accepted)
    post(federation, tx, one.peer_id, "SaleAnswer", body, on_behalf_of=ours)
