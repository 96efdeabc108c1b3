"""Promises work in the transaction that causes it: if that commits, the work will be done; if not, never."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..store import Transaction, insert_rows
from .tables import job


def promise(tx: Transaction, kind: str, payload: Mapping[str, Any], *, due_at: datetime | None = None) -> str:
    """One job of this kind, due now or at `due_at` (UTC). Returns its id."""
    return promise_all(tx, [(kind, payload)], due_at=due_at)[0]


def promise_all(
    tx: Transaction, jobs: Iterable[tuple[str, Mapping[str, Any]]], *, due_at: datetime | None = None
) -> list[str]:
    """Several jobs by one statement. Returns their ids."""
    rows: list[dict[str, Any]] = [
        {
            "id": tx.new_id(),
            "kind": kind,
            "payload": dict(payload),
            "state": "waiting",
            "due_at": due_at or tx.now,
            "attempts": 0,
            "error": "",
            "created_at": tx.now,
        }
        for kind, payload in jobs
    ]
    insert_rows(tx, job, rows)
    return [row["id"] for row in rows]
