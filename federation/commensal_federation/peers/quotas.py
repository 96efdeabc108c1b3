"""Limits the rows that are kept for a peer, so that no table grows without bound whatever it sends."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, func, select

from commensal import Transaction

from ..messages.types import Refuse
from .values import Peer


def refuse_over_quota(tx: Transaction, peer: Peer, table: Table, added: int, *conditions: ColumnElement[bool]) -> None:
    """Raises `Refuse` if `added` more rows would exceed the peer's quota in this table.

    `conditions` select the peer's rows; by default those with its `peer_id`.
    """
    where = conditions or (table.c.peer_id == peer.id,)
    if not added:
        return
    count: int = tx.value(select(func.count()).select_from(table).where(*where))
    if count + added > peer.limits.kept_things:
        raise Refuse("too_many", f"More than {peer.limits.kept_things} rows of {table.name} would be kept of you.")
