"""What ends with a peer: nothing of ours waits for it any more, and nothing of its that waited is done."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction

from ..delivery.alerts import alert
from ..delivery.tables import federation_inbox, federation_lane, federation_outbox
from ..peers.changing import change_peer
from ..peers.values import Peer
from ..runtime import Federation

_NEVER = "revoked: the two instances do not trade any more"


def end(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Revokes the peer. What waited on either side becomes dead letters: nothing is pretended to have come.

    Nothing more of its goods is sold, and what customers have ordered of them is for people to settle.
    """

    from ..catalogue.grants import close_grants  # rooms that stand above this one
    from ..orders.ended import settle_ended_trade

    change_peer(tx, peer_id, state="revoked", revoked_at=tx.now, recovering=False)
    out, box = federation_outbox.c, federation_inbox.c
    dead = {"state": "dead", "error": _NEVER}
    tx.execute(update(federation_outbox).where(out.peer_id == peer_id, out.state == "waiting"), dead)
    tx.execute(update(federation_inbox).where(box.peer_id == peer_id, box.state == "parked"), dead)
    tx.execute(update(federation_lane).where(federation_lane.c.peer_id == peer_id), {"parked": 0})
    close_grants(federation, tx, peer_id)
    settle_ended_trade(tx, peer_id)


def revoked_by_peer(federation: Federation, tx: Transaction, peer: Peer, reason: str) -> None:
    """The other side has ended it."""
    end(federation, tx, peer.id)
    alert(tx, peer.id, "revoked", f"It has ended the trade. {reason}".strip())
