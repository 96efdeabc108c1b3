"""Reacts to refusals: our clock is wrong, the peer does not know our key, or a restore has lost numbers."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction, enqueue

from ...availability.sale_ends import update_peer_sales
from ...peers.tables import federation_peer
from ...peers.values import Peer
from ...runtime import Federation
from ...signing.moments import read_moment
from ..alerts import alert
from ..lanes import RECOVER
from ..values import UNKNOWN_PEER
from .push_results import Verdict

SKEW = 60.0  # seconds
_NO_PEER = ((403, "peer"), (401, UNKNOWN_PEER))  # it has ended the trade, or was restored to before it
_FORGOTTEN = (
    "It does not know this instance (any more). If it was restored from a backup from before you became peers, its "
    "operator invites this instance again: all that was agreed and ordered comes back then."
)
_NUMBERS = ("seq", "epoch", "chain")  # codes of a peer that has heard something else from us under this number


def notice_refusals(federation: Federation, tx: Transaction, peer: Peer, verdict: Verdict) -> None:
    """Alerts the operator, and starts the repairs that need no person."""
    if verdict.status == 401:
        _notice_clock(tx, peer, verdict)
    if verdict.status in (401, 403):
        forgotten = verdict.said.get("code") == UNKNOWN_PEER
        alert(tx, peer.id, "refused", _FORGOTTEN if forgotten else f"It refuses our messages: {verdict.error}")
    if (verdict.status, verdict.said.get("code")) in _NO_PEER:
        note_refusing(tx, peer, True)
    for receipt in verdict.refused:
        alert(tx, peer.id, "dead_letter", f"It refused {receipt.id}: {receipt.status} {receipt.code} {receipt.text}")
        if receipt.status == 409 and receipt.code in _NUMBERS and not peer.recovering:
            enqueue(tx, RECOVER, {"peer": peer.id})


def note_refusing(tx: Transaction, peer: Peer, refusing: bool) -> None:
    """Records whether the peer refuses our messages. Its goods are off sale here as long as it does."""
    if peer.refusing != refusing:
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id).values(refusing=refusing))
        update_peer_sales(tx, peer.id)


def _notice_clock(tx: Transaction, peer: Peer, verdict: Verdict) -> None:
    """Alerts the operator if the peer's clock and ours differ. The clock is never set by what a peer says."""
    try:
        theirs = read_moment(verdict.said.get("server_time"))
    except ValueError:
        return
    apart = round((tx.now - theirs).total_seconds())
    if abs(apart) > SKEW:
        alert(tx, peer.id, "clock", f"Our clock and its differ by {apart} seconds.")
