"""Recovers catalogues after a restore from an older backup, so that no revision is used twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from commensal import Instance, Job, Transaction, enqueue, enterprises_by_id, insert_or

from ..delivery.alerts import alert
from ..delivery.restore.restored import taken_back
from ..dfc.iris import local_id
from ..grants.questions import find_grant, grant_by_id
from ..grants.tables import federation_grant, federation_told
from ..messages.catalogue import (
    CatalogueUpsert,
    CatalogueWithdraw,
    Grant,
    GrantAnswer,
    GrantEnd,
    GrantOffer,
    OfferedItem,
)
from ..messages.offer_statement import name_of
from ..messages.types import Sent
from ..notices import forget_notice
from ..peers.peers import Peer, peer_by_id
from ..provenance.signers import recover_statements
from ..runtime import Federation, federation_of
from .away import recover_absences
from .enqueue import SOON, TELL
from .grantor import send_catalogue
from .grants import is_to_another_offer, restore_acceptance, restore_offer, restore_state
from .tables import federation_told_price

_told = federation_told.c


def recover_items(federation: Federation, tx: Transaction, sent: Sent[CatalogueUpsert]) -> None:
    """Records revisions that the hub has received; today's items are sent as later ones."""
    update = sent.body
    grant = _given_grant(federation, tx, update.grantor, update.hub)
    if grant is None:
        return
    rows = []
    statements: list[str] = []
    for offered in update.items:
        item_id, lot_id = (
            local_id(federation.base, offered.item.iri, "catalog_items"),
            _lot_id(federation, offered.lot.iri),
        )
        if item_id is not None and offered.offer.price is not None:
            rows.append({"item_id": item_id, "rev": offered.rev, "digest": offered.digest, "lot_id": lot_id})
            _record_price(tx, grant, item_id, offered)
            statements += [offered.statement, offered.origin]
    _record_sent(tx, grant, rows)
    if update.absences is not None:
        recover_absences(tx, grant, update.absences)
    recover_statements(federation, tx, statements)


def recover_withdrawals(federation: Federation, tx: Transaction, sent: Sent[CatalogueWithdraw]) -> None:
    withdrawal = sent.body
    grant = _given_grant(federation, tx, withdrawal.grantor, withdrawal.hub)
    if grant is None:
        return
    revs = {local_id(federation.base, item.iri, "catalog_items") or "": item.rev for item in withdrawal.items}
    rows_sent = tx.all(
        select(_told.item_id, _told.lot_id).where(_told.grant_id == grant.id, _told.item_id.in_(sorted(revs)))
    )
    rows = [
        {"item_id": row["item_id"], "rev": revs[row["item_id"]], "digest": "", "lot_id": row["lot_id"]}
        for row in rows_sent
    ]
    _record_sent(tx, grant, rows)


def recover_offer(federation: Federation, tx: Transaction, sent: Sent[GrantOffer]) -> None:
    """Offers a grant again that was revoked in the backup, or that is not in it.

    A grant that is not in the backup has no customer category any more, so a person is told to look at its prices. The
    hub's answer to it comes with the peer's own messages.
    """
    offer = sent.body
    grant = _given_grant(federation, tx, offer.grantor.iri, offer.hub)
    if grant is not None and grant.state == "revoked":
        restore_state(federation, tx, grant, "offered")
    if grant is not None:
        tx.execute(update(federation_grant).where(federation_grant.c.id == grant.id), {"offer_id": sent.id})
    grantor = local_id(federation.base, offer.grantor.iri, "enterprises")
    if grant is not None or grantor is None or grantor not in enterprises_by_id(tx, [grantor]):
        return
    restore_offer(federation, tx, sent.peer, grantor, offer, sent.id)
    text = f"{offer.grantor.name} has granted its goods to {offer.hub} after the backup: at general prices now."
    alert(tx, sent.peer.id, "grant", text)


def recover_end(federation: Federation, tx: Transaction, sent: Sent[GrantEnd]) -> None:
    notice = sent.body
    grant = _given_grant(federation, tx, notice.grantor, notice.hub)
    if grant is not None:
        restore_state(federation, tx, grant, "revoked")


def recover_answer(federation: Federation, tx: Transaction, sent: Sent[GrantAnswer]) -> None:
    """Repeats this instance's answer, as a hub, to a grant; to an offer that is not known here, when it comes again."""
    answer = sent.body
    hub = local_id(federation.base, answer.hub, "enterprises") or ""
    grant = find_grant(tx, "received", hub, answer.grantor)
    if grant is None or is_to_another_offer(tx, grant, answer):
        return
    forget_notice(tx, grant.enterprise_id, "grant_offered", grant.id)
    if answer.accepted:
        restore_acceptance(tx, grant, since=min(grant.created_at, sent.published))
    else:
        restore_state(federation, tx, grant, "refused")


def recover_answer_to(federation: Federation, tx: Transaction, peer: Peer, offer: GrantOffer, offer_id: str) -> None:
    """Repeats this instance's last answer to an offer that has come again, since the backup does not know it.

    After a restore our own messages come back first, when the offer that they answer is not known yet.
    """
    if not peer.recovering:
        return
    answers = [
        sent
        for sent in taken_back(federation, tx, peer, "GrantAnswer")
        if (sent.body.grantor, sent.body.hub) == (offer.grantor.iri, offer.hub) and sent.body.offer in (None, offer_id)
    ]
    for sent in answers[-1:]:
        recover_answer(federation, tx, sent)


def resend_catalogue(instance: Instance, job: Job) -> None:
    """Sends the catalogue to the hub, once all that was sent before the restore is recovered."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        grant = grant_by_id(tx, job.payload["grant"])
        if peer_by_id(tx, grant.peer_id).recovering:
            enqueue(tx, TELL, job.payload, due_at=tx.now + SOON)
        elif grant.state == "accepted":
            send_catalogue(federation, tx, grant)


def _record_price(tx: Transaction, grant: Grant, item_id: str, offered: OfferedItem) -> None:
    """Records the price at which the hub may order in this revision, replacing one sent since the restore."""
    assert offered.offer.price is not None
    key = {"grant_id": grant.id, "item_id": item_id, "rev": offered.rev}
    named = name_of(offered.statement) if offered.statement else ""
    new = insert_or(tx, federation_told_price).values(
        **key, price=offered.offer.price.amount, statement=named, at=tx.now
    )
    replaced = {"price": new.excluded.price, "statement": new.excluded.statement}
    tx.execute(new.on_conflict_do_update(index_elements=list(key), set_=replaced))


def _record_sent(tx: Transaction, grant: Grant, rows: Sequence[Mapping[str, object]]) -> None:
    """Records the highest revision of each item that was sent."""
    for row in rows:
        statement = insert_or(tx, federation_told).values(grant_id=grant.id, **row)
        sent = statement.excluded
        values = {"rev": sent.rev, "digest": sent.digest, "lot_id": sent.lot_id}
        upsert = statement.on_conflict_do_update(
            index_elements=["grant_id", "item_id"], set_=values, where=_told.rev <= sent.rev
        )
        tx.execute(upsert)
    enqueue(tx, TELL, {"grant": grant.id}, due_at=tx.now + SOON)


def _given_grant(federation: Federation, tx: Transaction, grantor: str, hub: str) -> Grant | None:
    return find_grant(tx, "given", local_id(federation.base, grantor, "enterprises") or "", hub)


def _lot_id(federation: Federation, iri: str) -> str:
    return local_id(federation.base, iri, "stocks") or ""
