"""Which received items are what their producers have signed. What is not is left out, and people are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commensal import Row, Transaction

from ..delivery.alerts import alert
from ..messages.bodies.catalogue import CatalogueUpsert, Grant, OfferedItem
from ..notices import note_for_enterprise
from ..peers.values import Peer
from ..provenance.stored import VerifiedStatement
from ..provenance.values import KeysMissing, NotProved
from ..provenance.verification import OfferCheck
from ..runtime import Federation
from .origins import wait_for_origin


def prove_items(
    federation: Federation, tx: Transaction, peer: Peer, grant: Grant, upsert: CatalogueUpsert,
    fresh: Sequence[OfferedItem], existing: Mapping[str, Row],
) -> dict[str, list[VerifiedStatement]]:  # fmt: skip
    """Returns the statements of all items that may be stored, by the item's IRI; none for those of older instances.

    Items whose producer's keys are not known yet are missing, and come again once its instance has answered.
    """
    check = OfferCheck(federation, tx, peer, upsert.grantor, upsert.hub)
    proved: dict[str, list[VerifiedStatement]] = {}
    for offered in fresh:
        iri = offered.item.iri
        try:
            try:
                proved[iri] = check.verified(offered, existing[iri]["statement"] if iri in existing else "")
            except KeysMissing as missing:
                catalogue = f"{upsert.grantor} {upsert.hub}"
                wait_for_origin(federation, tx, missing.actor, peer, grant.enterprise_id, catalogue)
        except NotProved as error:
            note_left_out(tx, peer, grant, "forged", iri, str(error))
    return proved


def note_left_out(tx: Transaction, peer: Peer, grant: Grant, kind: str, iri: str, reason: str) -> None:
    """Tells operators, by an alert of this kind, and the hub's people that an item cannot be listed."""
    alert(tx, peer.id, kind, f"{iri} was left out: {reason}")
    note_for_enterprise(
        tx, grant.enterprise_id, "item_left_out", peer.id, grant.id, producer=grant.other_name, reason=reason
    )
