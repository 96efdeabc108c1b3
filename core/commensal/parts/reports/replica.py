"""The database that reports read: a replica, while one is named, answers and is not far behind; else the main one.

A replica is a standby of PostgreSQL that repeats what the database does, a moment later, and only reads.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...base.errors import Busy, Problem
from ...instance.instance import Instance
from ...storage.database import Store, Transaction

BEHIND = timedelta(minutes=5)  # a replica that is further behind is not read

# Seconds: 0 while the standby has repeated all that a living connection brought. NULL if it has repeated nothing yet.
_BEHIND = text(
    "SELECT extract(epoch FROM CASE WHEN NOT pg_is_in_recovery() THEN interval '0' "
    "WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() "
    "AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) THEN interval '0' "
    "ELSE now() - pg_last_xact_replay_timestamp() END)::float"
)


def store_for_reports(instance: Instance) -> Store:
    """The store to read reports from."""
    replica = instance.state.of(_replica)
    return instance.store if replica is None or replica_problem(instance) else replica


def replica_problem(instance: Instance) -> Problem | None:
    """Why the replica is not read; None if it is, or if none is named."""
    replica = instance.state.of(_replica)
    if replica is None:
        return None
    try:
        with replica.read() as tx:
            behind = _behind(tx)
    except (Busy, DBAPIError):
        return Problem(
            "replica", "The replica of database.reports_url does not answer; reports read the database itself."
        )
    if behind is None or behind > BEHIND:
        message = "The replica of database.reports_url is {minutes} minutes behind; reports read the database itself."
        minutes = "∞" if behind is None else behind // timedelta(minutes=1)
        return Problem("replica", message, values={"minutes": minutes})
    return None


def _moment_shown(tx: Transaction) -> datetime | None:
    """The moment whose data a transaction on a replica reads, by the clock of the instance."""
    behind = _behind(tx)
    return None if behind is None else tx.now - behind


def _behind(tx: Transaction) -> timedelta | None:
    seconds = tx.value(_BEHIND)
    return None if seconds is None else timedelta(seconds=max(seconds, 0.0))


def _replica(instance: Instance) -> Store | None:
    """A store on the replica, which is closed with the instance's own; None if none is named."""
    url = instance.settings.database.reports_url
    if not url:
        return None
    own = instance.store
    replica = Store(url, clock=instance.clock, ids=instance.ids)
    replica.plugin_fields, replica.own_scopes, replica.bound = own.plugin_fields, own.own_scopes, own.bound
    replica.moment_shown = _moment_shown
    own.before_closing(replica.close)
    return replica
