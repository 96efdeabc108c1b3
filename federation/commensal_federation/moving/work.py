"""Work of this room: moves that could not be followed yet are looked at each minute."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Transaction, Work, promise

from .bringing import FETCH_IMAGE
from .followers import FOLLOW, OPEN, follow_move
from .images import fetch_moved_image
from .moves import moves


def look_for_moves(tx: Transaction) -> None:
    for move in moves(tx, role="following", states=OPEN, limit=1000):
        promise(tx, FOLLOW, {"move": move.id})
    for move in moves(tx, role="following", states=("quarantined",), limit=1000):
        if move.until is not None and move.until <= tx.now:
            promise(tx, FOLLOW, {"move": move.id})


def work() -> Work:
    return Work(
        {FOLLOW: follow_move, FETCH_IMAGE: fetch_moved_image},
        (Periodic("federation.moves", timedelta(minutes=1), look_for_moves),),
    )
