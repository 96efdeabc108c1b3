"""Enqueues jobs in the transaction that causes them: they will run if it commits, and never if it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..database import Transaction, insert_rows
from .tables import job


@dataclass(frozen=True)
class Promise:
    """A job to enqueue: its kind, the payload for its handler, and when it is due (UTC; None: now)."""

    kind: str
    payload: Mapping[str, Any]
    due_at: datetime | None = None


def promise(tx: Transaction, kind: str, payload: Mapping[str, Any], *, due_at: datetime | None = None) -> str:
    """Enqueues a job of this kind, due at `due_at` (UTC; None: now). Returns its id."""
    (job_id,) = promise_all(tx, [Promise(kind, payload, due_at)])
    return job_id


def promise_all(tx: Transaction, promises: Sequence[Promise]) -> list[str]:
    """Enqueues all of them by one statement. Returns their ids, in the same order."""
    rows = [
        {
            "id": tx.new_id(),
            "kind": job_promise.kind,
            "payload": dict(job_promise.payload),
            "state": "waiting",
            "due_at": job_promise.due_at or tx.now,
            "attempts": 0,
            "error": "",
            "created_at": tx.now,
        }
        for job_promise in promises
    ]
    insert_rows(tx, job, rows)
    tx.promised.extend(job_promise.due_at or tx.now for job_promise in promises)
    return [str(row["id"]) for row in rows]
