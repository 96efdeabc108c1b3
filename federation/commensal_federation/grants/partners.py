"""Enterprises of other instances that a plugin here deals with: each has a copy here that stands for it.

A copy has no members and no goods, and nobody sees it but through what the plugin shows of it. A grant makes a producer
of it later, and a move of the enterprise gives it another home, as with copies of producers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from commensal import Invalid, Transaction, enterprises_by_id
from commensal.enterprises import change_enterprise, copy_enterprise

from ..dfc.iris import enterprise_iri, local_id
from ..messages.types import Refuse
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer
from ..runtime import Federation
from .tables import federation_grant, federation_mirror

_mirror, _grant = federation_mirror.c, federation_grant.c


@dataclass(frozen=True)
class Home:
    """Where an enterprise lives: its IRI, and the id of the peer that is its home; None: this instance."""

    iri: str
    peer_id: str | None


def homes_of(federation: Federation, tx: Transaction, enterprise_ids: Collection[str]) -> Mapping[str, Home]:
    """The home of each of these enterprises, which exist here or are copies, by their ids here."""
    rows = tx.all(select(federation_mirror).where(_mirror.enterprise_id.in_(set(enterprise_ids))))
    elsewhere = {row["enterprise_id"]: Home(row["iri"], row["peer_id"]) for row in rows}
    return {
        enterprise_id: elsewhere.get(enterprise_id) or Home(enterprise_iri(federation.base, enterprise_id), None)
        for enterprise_id in enterprise_ids
    }


def enterprise_at(federation: Federation, tx: Transaction, iri: str) -> str | None:
    """The id here of the enterprise that this IRI names: of this instance, or of a copy; None if it is unknown."""
    copy = tx.value(select(_mirror.enterprise_id).where(_mirror.iri == iri))
    if copy is not None:
        return str(copy)
    own = local_id(federation.base, iri, "enterprises")
    return own if own is not None and own in enterprises_by_id(tx, [own]) else None


def copy_of_partner(federation: Federation, tx: Transaction, peer: Peer, iri: str, name: str) -> str:
    """The id of the copy here of this enterprise of the peer, which is made where there was none, and called `name`
    unless it stands for a producer whose grants say how it is called.

    Raises `Refuse`: "authority" for an enterprise of somebody else, "object" for a name that cannot be, "too_many".
    """
    existing = tx.first(select(federation_mirror).where(_mirror.iri == iri))
    if existing is not None and existing["peer_id"] == peer.id:
        return _renamed(tx, existing["enterprise_id"], name)
    if existing is not None or local_id(peer.base, iri, "enterprises") is None:
        raise Refuse("authority", "That enterprise has another home.")
    refuse_over_quota(tx, peer, federation_mirror, 1)
    language = federation.instance.settings.language
    try:
        made = copy_enterprise(
            tx, name=name, currency="EUR", language=language, timezone="UTC", visibility="hidden", is_producer=False
        )
    except Invalid as error:
        raise Refuse("object", f"The enterprise's name cannot be: {error}") from error
    tx.execute(federation_mirror.insert().values(iri=iri, peer_id=peer.id, enterprise_id=made.id, created_at=tx.now))
    return made.id


def _renamed(tx: Transaction, copy_id: str, name: str) -> str:
    copy = enterprises_by_id(tx, [copy_id])[copy_id]
    if copy.name != name and not copy.is_producer:
        try:
            change_enterprise(tx, copy.id, copy.version, name=name)
        except Invalid as error:
            raise Refuse("object", f"The enterprise's name cannot be: {error}") from error
    return copy.id


def peers_in_trade_with(tx: Transaction, enterprise_id: str) -> set[str]:
    """The ids of peers with an enterprise of which this enterprise of ours has an accepted grant, given or received."""
    query = select(_grant.peer_id).where(_grant.enterprise_id == enterprise_id, _grant.state == "accepted")
    return {row["peer_id"] for row in tx.all(query.distinct())}
