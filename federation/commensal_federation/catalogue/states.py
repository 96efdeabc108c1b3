"""The daily comparison of catalogues: both sides compute a digest for each grant; a differing one is sent again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from commensal import Transaction

from ..delivery.sync.states import Mirrored, register_mirrored, state_digest
from ..dfc.iris import enterprise_iri, item_iri, local_id
from ..grants.questions import find_grant, grants_between
from ..grants.tables import federation_told
from ..messages.catalogue import Grant
from ..peers.peers import Peer
from ..runtime import Federation
from .grantor import send_catalogue
from .tables import federation_item


def _digests(federation: Federation, tx: Transaction, peer: Peer) -> Mapping[str, str]:
    grants = grants_between(tx, peer_id=peer.id, direction="given", state="accepted")
    return {_state_name(federation, grant): _sent_digest(federation, tx, grant) for grant in grants}


def _received_digest(federation: Federation, tx: Transaction, peer: Peer, name: str) -> str:
    """Returns the digest of what was received under an accepted grant; empty for an unknown grant."""
    grantor, _, hub = name.partition(" ")
    grant = find_grant(tx, "received", local_id(federation.base, hub, "enterprises") or "", grantor)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        return ""
    item = federation_item.c
    rows = tx.all(select(item.iri, item.rev, item.digest).where(item.grant_id == grant.id, item.gone_at.is_(None)))
    return state_digest(f"{row['iri']}|{row['rev']}|{row['digest']}" for row in rows)


def _send(federation: Federation, tx: Transaction, peer: Peer, name: str) -> None:
    for grant in grants_between(tx, peer_id=peer.id, direction="given", state="accepted"):
        if name in ("", _state_name(federation, grant)):
            send_catalogue(federation, tx, grant, again=True)


def _sent_digest(federation: Federation, tx: Transaction, grant: Grant) -> str:
    sent = federation_told.c
    rows = tx.all(select(sent.item_id, sent.rev, sent.digest).where(sent.grant_id == grant.id, sent.digest != ""))
    return state_digest(f"{item_iri(federation.base, row['item_id'])}|{row['rev']}|{row['digest']}" for row in rows)


def _state_name(federation: Federation, grant: Grant) -> str:
    return f"{enterprise_iri(federation.base, grant.enterprise_id)} {grant.other_iri}"


register_mirrored(Mirrored(name="catalogue", lane="catalogue", digests=_digests, seen=_received_digest, send=_send))
