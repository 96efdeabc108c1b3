"""The catalogue as a whole, for each grant: summed up once a day on both sides, and sent again where it differs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from commensal import Transaction

from ..delivery.sync.states import Mirrored, register_mirrored, state_digest
from ..dfc.iris import enterprise_iri, item_iri, local_id
from ..messages.bodies.catalogue import Grant
from ..peers.values import Peer
from ..runtime import Federation
from .grantor import tell_all
from .grants import find_grant, grants_between
from .tables import federation_item, federation_told


def _digests(federation: Federation, tx: Transaction, peer: Peer) -> Mapping[str, str]:
    given = grants_between(tx, peer_id=peer.id, direction="given", state="accepted")
    return {_name(federation, one): _told(federation, tx, one) for one in given}


def _seen(federation: Federation, tx: Transaction, peer: Peer, name: str) -> str:
    """Of what we were granted and took; empty for what we know nothing of."""
    grantor, _, hub = name.partition(" ")
    grant = find_grant(tx, "received", local_id(federation.base, hub, "enterprises") or "", grantor)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        return ""
    row = federation_item.c
    there = tx.all(select(row.iri, row.rev, row.digest).where(row.grant_id == grant.id, row.gone_at.is_(None)))
    return state_digest(f"{one['iri']}|{one['rev']}|{one['digest']}" for one in there)


def _send(federation: Federation, tx: Transaction, peer: Peer, name: str) -> None:
    for grant in grants_between(tx, peer_id=peer.id, direction="given", state="accepted"):
        if name in ("", _name(federation, grant)):
            tell_all(federation, tx, grant, again=True)


def _told(federation: Federation, tx: Transaction, grant: Grant) -> str:
    row = federation_told.c
    there = tx.all(select(row.item_id, row.rev, row.digest).where(row.grant_id == grant.id, row.digest != ""))
    return state_digest(f"{item_iri(federation.base, one['item_id'])}|{one['rev']}|{one['digest']}" for one in there)


def _name(federation: Federation, grant: Grant) -> str:
    return f"{enterprise_iri(federation.base, grant.enterprise_id)} {grant.other_iri}"


register_mirrored(Mirrored(name="catalogue", lane="catalogue", digests=_digests, seen=_seen, send=_send))
