"""Limits the requests that wait for the operator, by the network and the site that they came from, and by age."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, exists, select

from commensal import Row, Transaction

from ..delivery.tables import federation_alert, federation_lane
from ..peers.peers import ANSWERED_WITHIN
from ..peers.tables import federation_peer

MOST = 100  # requests that wait
MOST_OF_NETWORK = 10  # of them, those that came from one network
MOST_OF_SITE = 5  # of them, those that name addresses of one site
FORGOTTEN_AFTER = ANSWERED_WITHIN + timedelta(days=30)  # an expired request is shown for so long
_peer = federation_peer.c
_ever_spoken_to = exists().where(federation_lane.c.peer_id == _peer.id)
_REMOVABLE = (_peer.state == "requested", _peer.accepted_at.is_(None), ~_ever_spoken_to)


def make_room(tx: Transaction, iri: str, network: str) -> bool:
    """Removes the oldest unanswered requests where a limit would be exceeded by one more of `iri` from `network`.

    Returns whether there is room. Whoever floods displaces the requests of its own network and site first.
    """
    query = select(_peer.id, _peer.iri, _peer.network).where(_peer.state == "requested")
    waiting = list(tx.all(query.order_by(_peer.requested_at, _peer.id)))
    site = site_of(iri)
    groups = (
        ([row for row in waiting if network and row["network"] == network], MOST_OF_NETWORK),
        ([row for row in waiting if site_of(row["iri"]) == site], MOST_OF_SITE),
        (waiting, MOST),
    )
    removed: set[str] = set()
    for rows, limit in groups:
        remaining = [row for row in rows if row["id"] not in removed]
        surplus = remaining[: max(0, len(remaining) - limit + 1)]
        if any(not _remove(tx, row) for row in surplus):
            return False
        removed.update(row["id"] for row in surplus)
    return True


def forget_expired(tx: Transaction) -> None:
    """Deletes requests that expired long ago. What was once agreed, or answered, stays."""
    expired = select(_peer.id).where(*_REMOVABLE, _peer.requested_at < tx.now - FORGOTTEN_AFTER)
    for row in tx.all(expired):
        _remove(tx, row)


def site_of(url: str) -> str:
    """The part of a host name that one owner usually holds: ``example.org``, ``example.co.uk``; an IP address whole.

    It only limits how much one owner can ask, so a wrong guess means a stricter limit, and no more.
    """
    host = urlsplit(url).hostname or ""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    is_second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if is_second_level else labels[-2:])


def _remove(tx: Transaction, row: Row) -> bool:
    tx.execute(delete(federation_alert).where(federation_alert.c.peer_id == row["id"]))
    return tx.execute(delete(federation_peer).where(_peer.id == row["id"], *_REMOVABLE)).rowcount == 1
