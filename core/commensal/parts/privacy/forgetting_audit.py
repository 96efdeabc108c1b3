"""Deletes audit entries that are too old. Their expiry is recorded first: without it, the database refuses."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, insert, select

from ...instance.tables import audit_entry, audit_expiry
from ...storage.database import Transaction


def forget_old_entries(tx: Transaction, *, days: int) -> int:
    """Deletes entries older than `days` and returns how many; 0 days keep everything. Runs daily."""
    before = tx.now - timedelta(days=days)
    is_old = audit_entry.c.at < before
    if days == 0 or not tx.value(select(func.count()).select_from(audit_entry).where(is_old)):
        return 0
    tx.execute(insert(audit_expiry).values(id=tx.new_id(), at=tx.now, before=before))
    deleted = tx.execute(delete(audit_entry).where(is_old)).rowcount
    tx.trace("forgot", "audit_entry", before=before.isoformat(), entries=deleted)
    return deleted
