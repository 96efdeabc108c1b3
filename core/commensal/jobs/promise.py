"""Promises work in the transaction that causes it: if that commits, the work will be done; if not, never."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from ..store import Transaction
from .tables import job


def promise(tx: Transaction, kind: str, payload: Mapping[str, Any], *, due_at: datetime | None = None) -> str:
    """One job of this kind, due now or at `due_at` (UTC). Returns its id."""
    row = {
        "id": tx.new_id(),
        "kind": kind,
        "payload": dict(payload),
        "state": "waiting",
        "due_at": due_at or tx.now,
        "attempts": 0,
        "error": "",
        "created_at": tx.now,
    }
    tx.execute(insert(job), row)
    return str(row["id"])
