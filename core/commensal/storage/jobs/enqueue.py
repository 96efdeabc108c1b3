"""Promises work in the transaction that causes it: if that commits, the work will be done; if not, never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..database import Transaction, insert_rows
from .tables import job


@dataclass(frozen=True)
class Promise:
    """One job to be: its kind, what its handler is told, and when it is due (UTC; None: now)."""

    kind: str
    payload: Mapping[str, Any]
    due_at: datetime | None = None


def promise(tx: Transaction, kind: str, payload: Mapping[str, Any], *, due_at: datetime | None = None) -> str:
    """One job of this kind, due now or at `due_at` (UTC). Returns its id."""
    (promised,) = promise_all(tx, [Promise(kind, payload, due_at)])
    return promised


def promise_all(tx: Transaction, promises: Sequence[Promise]) -> list[str]:
    """All of them by one statement, and by none where there are none. Returns their ids, in the same order."""
    rows = [
        {
            "id": tx.new_id(),
            "kind": one.kind,
            "payload": dict(one.payload),
            "state": "waiting",
            "due_at": one.due_at or tx.now,
            "attempts": 0,
            "error": "",
            "created_at": tx.now,
        }
        for one in promises
    ]
    insert_rows(tx, job, rows)
    tx.promised.extend(one.due_at or tx.now for one in promises)
    return [str(row["id"]) for row in rows]
