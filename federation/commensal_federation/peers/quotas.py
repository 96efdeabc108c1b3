"""How much of a peer is kept here: whatever it sends, no table grows beyond that."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, func, select

from commensal import Transaction

from ..messages.types import Refuse
from .values import Peer


def refuse_crowd(tx: Transaction, peer: Peer, table: Table, more: int, *of_it: Any) -> None:
    """Raises `Refuse` where `more` rows of this peer would be too many. `of_it` says which rows those are, where it is
    not simply the column `peer_id`."""
    mine = of_it or (table.c.peer_id == peer.id,)
    if not more:
        return
    there: int = tx.value(select(func.count()).select_from(table).where(*mine))
    if there + more > peer.limits.kept_things:
        raise Refuse("too_many", f"More than {peer.limits.kept_things} rows of {table.name} would be kept of you.")
