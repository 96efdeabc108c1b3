"""Tells operators on both sides that the clocks of two instances differ, before they call each other about it.

Whoever refuses a request for its time says its own time with the answer. It alerts its own people too, if the signature
is the peer's at the time that it names and no request of the peer has been good lately: a request that somebody sends a
second time, much later, is no sign of a wrong clock. No clock is ever set by what a peer says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from commensal import Transaction

from ..peers.peers import WELL_KNOWN, Peer, peer_by_iri
from ..runtime import Federation
from ..signing import Unreadable, read_json
from ..signing.profile import read_moment
from ..transport import Answer
from .alerts import alert, forget_alert

KIND = "clock"  # of the alert
DIFFER = timedelta(seconds=60)
_LARGEST = 64 * 1024  # bytes of a refusal
_QUIET = timedelta(minutes=5)  # without a good request, after which one from another time tells of the clock


def apart_of(answer: Answer, now: datetime) -> timedelta | None:
    """How far the clock of whoever refused us is ahead of ours; None where it agrees or says nothing."""
    if answer.status != 401:
        return None
    try:
        apart = read_moment(read_json(answer.body, _LARGEST).get("server_time")) - now
    except (Unreadable, ValueError):
        return None
    return apart if abs(apart) > DIFFER else None


def note_clock_of_answer(federation: Federation, url: str, answer: Answer) -> None:
    """Alerts operators if the peer at this address refuses us while the clocks differ. Not inside a transaction."""
    apart = apart_of(answer, federation.instance.clock.now())
    if apart is None:
        return

    def note(tx: Transaction) -> None:
        address = urlsplit(url)
        peer = peer_by_iri(tx, f"{address.scheme}://{address.netloc}{WELL_KNOWN}")
        if peer is not None:
            alert(tx, peer.id, KIND, clock_text(apart))

    federation.instance.store.transact(note)


def note_clock_of_request(federation: Federation, peer: Peer, created: datetime) -> None:
    """Alerts operators to a peer whose request, signed at `created` by its clock (UTC), was refused for its time."""
    now = federation.instance.clock.now()
    lately = peer.last_seen_at is not None and peer.last_seen_at > now - _QUIET
    if not lately and abs(created - now) > DIFFER:
        federation.instance.store.transact(lambda tx: alert(tx, peer.id, KIND, clock_text(created - now)))


def forget_clock(tx: Transaction, peer_id: str) -> None:
    """Ends the alert, because a message has come through."""
    forget_alert(tx, peer_id, KIND)


def clock_text(apart: timedelta) -> str:
    """In words how far the peer's clock is ahead of ours, or behind it."""
    seconds = round(abs(apart).total_seconds())
    if seconds < 120:
        amount = f"{seconds} seconds"
    elif seconds < 2 * 3600:
        amount = f"{round(seconds / 60)} minutes"
    elif seconds < 2 * 86400:
        amount = f"{round(seconds / 3600)} hours"
    else:
        amount = f"{round(seconds / 86400)} days"
    return f"Its clock is {amount} {'ahead of' if apart > timedelta() else 'behind'} ours."
