"""What a human should look at: a peer that contradicts itself, a clock that is wrong, numbers that were lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select

from commensal import NotFound, Transaction, insert_or

from ..notices import CONDITIONS, note_for_operators
from .tables import federation_alert

_log = structlog.get_logger("commensal.federation")
_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`count` is how often it has happened since `first_at`; times are UTC."""

    peer_id: str
    kind: str
    text: str
    count: int
    first_at: datetime
    last_at: datetime


def title(kind: str, _: Callable[[str], str]) -> str:
    """What this kind of alert means, in the reader's language; what exactly happened is in English, as the other side
    said it."""
    titles = {
        "equivocation": _("It has contradicted itself: two messages with one number or id."),
        "epoch": _("It has sent a message of before its restore."),
        "restored": _("It was restored from a backup; what it said after that may be lost."),
        "barrier": _("It has not said yet what it holds since your restore, so nothing of that is sold."),
        "doubt": _(
            "It orders what its leases do not cover, or what may have changed: confirm it by hand, or refuse it."
        ),
        "late": _("It has sold more than you had leased to it: grant it after all, or refuse the order's line."),
        "unsettled": _("The trade has ended, and not all that was ordered is confirmed: settle it with its people."),
        "overlent": _("You have promised more than there is."),
        "rolled_back": _(
            "This instance was restored from a backup, or rolled back, without being told; it goes on now."
        ),
        "forgotten": _("It has forgotten messages that it had signed: it was restored from a backup unnoticed."),
        "future_cursor": _("It and this instance count your messages differently, and no message shows who is right."),
        "lost": _("Messages of it are lost, or cannot be read."),
        "not_ours": _("It claims messages of ours that we have not signed."),
        "dead_letter": _("It has refused a message of ours."),
        "refused": _("It refuses our requests."),
        "clock": _("Our clock and its differ: one of them is wrong."),
        "document": _("Its document cannot be fetched, or is not signed by the key that you know."),
        "revoked": _("It has ended the trade."),
        "move": _("An enterprise that you trade with moves to another instance."),
        "moved_before": _("An enterprise had moved there before your restore: complete the move."),
        "sale": _("A sale that it proposed asks for your attention."),
        "grant": _("A grant that the restore had forgotten is made again: look at its prices."),
        "item": _("Something of its catalogue was left out."),
        "forged": _("It offers goods that are not as their producer has signed: they were left out."),
        "origin": _("Goods of an instance come through it, whose keys have changed: compare its fingerprint."),
    }
    return titles.get(kind, kind)


def alert(tx: Transaction, peer_id: str, kind: str, text: str) -> None:
    """One row for each kind and peer: the newest text, and how often. Operators get a mail about their kinds, at most
    once a day; the people of an enterprise get one about the others, by whoever notices them."""
    _log.warning("a peer needs attention", peer=peer_id, kind=kind, text=text[:_LONGEST])
    row = {"peer_id": peer_id, "kind": kind, "text": text[:_LONGEST], "count": 1, "first_at": tx.now, "last_at": tx.now}
    again = insert_or(tx, federation_alert).values(row)
    changed = {"text": again.excluded.text, "count": federation_alert.c.count + 1, "last_at": again.excluded.last_at}
    tx.execute(again.on_conflict_do_update(index_elements=["peer_id", "kind"], set_=changed))
    if kind in CONDITIONS:
        note_for_operators(tx, kind, peer_id, text)


def alerts(tx: Transaction) -> Sequence[Alert]:
    """All of them, the newest first."""
    return [Alert(**row) for row in tx.all(select(federation_alert).order_by(federation_alert.c.last_at.desc()))]


def dismiss_alert(tx: Transaction, peer_id: str, kind: str) -> None:
    """Somebody has looked at it. Raises `NotFound`."""
    row = federation_alert.c
    if tx.execute(delete(federation_alert).where(row.peer_id == peer_id, row.kind == kind)).rowcount != 1:
        raise NotFound
