"""After a restore from an older backup: what had been told since is taken back, so that no revision is given twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from commensal import Instance, Job, Transaction, insert_or, promise

from ..dfc.iris import local_id
from ..messages.bodies.catalogue import CatalogueUpsert, CatalogueWithdraw, Grant, GrantAnswer, GrantEnd, GrantOffer
from ..messages.types import Sent
from ..orders.tables import federation_told_price
from ..peers.peers import peer_by_id
from ..runtime import Federation, federation_of
from .grantor import tell_all
from .grants import accept_again, find_grant, grant_by_id, state_given_back
from .tables import federation_told

TELL = "federation.tell_catalogue"  # a job: {"grant": its id}
_SOON = timedelta(minutes=1)
_told = federation_told.c


def items_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """The hub knows these revisions; what is listed today is told as later ones."""
    said: CatalogueUpsert = sent.body
    grant = _given(federation, tx, said.grantor, said.hub)
    if grant is None:
        return
    rows = []
    for one in said.items:
        item_id, lot_id = local_id(federation.base, one.item.iri, "catalog_items"), _lot(federation, one.lot.iri)
        if item_id is not None and one.offer.price is not None:
            rows.append({"item_id": item_id, "rev": one.rev, "digest": one.digest, "lot_id": lot_id})
            _remember_price(tx, grant, item_id, one.rev, one.offer.price.amount)
    _remember(tx, grant, rows)


def items_withdrawn_before(federation: Federation, tx: Transaction, sent: Sent) -> None:
    said: CatalogueWithdraw = sent.body
    grant = _given(federation, tx, said.grantor, said.hub)
    if grant is None:
        return
    revs = {local_id(federation.base, iri, "catalog_items") or "": rev for iri, rev in said.items}
    known = tx.all(
        select(_told.item_id, _told.lot_id).where(_told.grant_id == grant.id, _told.item_id.in_(sorted(revs)))
    )
    rows = [
        {"item_id": row["item_id"], "rev": revs[row["item_id"]], "digest": "", "lot_id": row["lot_id"]} for row in known
    ]
    _remember(tx, grant, rows)


def offer_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    said: GrantOffer = sent.body
    grant = _given(federation, tx, said.grantor.iri, said.hub)
    if grant is not None and grant.state == "revoked":
        state_given_back(federation, tx, grant, "offered")


def end_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    said: GrantEnd = sent.body
    grant = _given(federation, tx, said.grantor, said.hub)
    if grant is not None:
        state_given_back(federation, tx, grant, "revoked")


def recover_answer(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """The hub had taken a grant, or given it up."""
    said: GrantAnswer = sent.body
    hub = local_id(federation.base, said.hub, "enterprises") or ""
    grant = find_grant(tx, "received", hub, said.grantor)
    if grant is not None and said.accepted:
        accept_again(tx, grant)
    elif grant is not None:
        state_given_back(federation, tx, grant, "refused")


def tell_catalogue(instance: Instance, job: Job) -> None:
    """The job: tells the hub what is listed now, when all that was told before is known again."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        grant = grant_by_id(tx, job.payload["grant"])
        if peer_by_id(tx, grant.peer_id).recovering:
            promise(tx, TELL, job.payload, due_at=tx.now + _SOON)
        elif grant.state == "accepted":
            tell_all(federation, tx, grant)


def _remember_price(tx: Transaction, grant: Grant, item_id: str, rev: int, price: int) -> None:
    """At which the hub may order in this revision, whatever was told under it since the restore."""
    same = {"grant_id": grant.id, "item_id": item_id, "rev": rev}
    told = insert_or(tx, federation_told_price).values(**same, price=price, at=tx.now)
    tx.execute(told.on_conflict_do_update(index_elements=list(same), set_={"price": told.excluded.price}))


def _remember(tx: Transaction, grant: Grant, rows: Sequence[Mapping[str, Any]]) -> None:
    """The highest revision of each that was told."""
    for row in rows:
        told = insert_or(tx, federation_told).values(grant_id=grant.id, **row)
        new = told.excluded
        changed = {"rev": new.rev, "digest": new.digest, "lot_id": new.lot_id}
        kept = told.on_conflict_do_update(
            index_elements=["grant_id", "item_id"], set_=changed, where=_told.rev <= new.rev
        )
        tx.execute(kept)
    promise(tx, TELL, {"grant": grant.id}, due_at=tx.now + _SOON)


def _given(federation: Federation, tx: Transaction, grantor: str, hub: str) -> Grant | None:
    return find_grant(tx, "given", local_id(federation.base, grantor, "enterprises") or "", hub)


def _lot(federation: Federation, iri: str) -> str:
    return local_id(federation.base, iri, "stocks") or ""
