"""Enqueues jobs in the transaction that causes them: they will run if it commits, and never if it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from warnings import warn

from ...base.deprecated import RemovedIn1Warning
from ..database import Row, Transaction, insert_once, insert_rows
from .tables import job


@dataclass(frozen=True)
class NewJob:
    """A job to enqueue: its kind, the payload for its handler, and when it is due (UTC; None: now)."""

    kind: str
    payload: Mapping[str, Any]
    due_at: datetime | None = None


def enqueue(tx: Transaction, kind: str, payload: Mapping[str, object], *, due_at: datetime | None = None) -> str:
    """Enqueues a job of this kind, due at `due_at` (UTC; None: now). Returns its id."""
    (job_id,) = enqueue_all(tx, [NewJob(kind, payload, due_at)])
    return job_id


def promise(tx: Transaction, kind: str, payload: Mapping[str, object], *, due_at: datetime | None = None) -> str:
    """The name of `enqueue` in release 0.1.0, for plugins of that time."""
    warn("promise is called enqueue since 0.2", RemovedIn1Warning, stacklevel=2)
    return enqueue(tx, kind, payload, due_at=due_at)


def enqueue_all(tx: Transaction, new_jobs: Sequence[NewJob]) -> list[str]:
    """Enqueues all of them by one statement. Returns their ids, in the same order."""
    rows = [_row(tx, tx.new_id(), new_job) for new_job in new_jobs]
    insert_rows(tx, job, rows)
    tx.due_moments.extend(new_job.due_at or tx.now for new_job in new_jobs)
    return [str(row["id"]) for row in rows]


def enqueue_once(tx: Transaction, job_id: str, new_job: NewJob) -> bool:
    """Enqueues the job under this id, unless there was one with it before. Returns whether it did."""
    row = _row(tx, job_id, new_job)
    if not insert_once(tx, job, row):
        return False
    tx.due_moments.append(row["due_at"])
    return True


def _row(tx: Transaction, job_id: str, new_job: NewJob) -> Row:
    return {
        "id": job_id,
        "kind": new_job.kind,
        "payload": dict(new_job.payload),
        "state": "waiting",
        "due_at": new_job.due_at or tx.now,
        "attempts": 0,
        "error": "",
        "created_at": tx.now,
    }
