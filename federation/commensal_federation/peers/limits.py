"""Limits what a peer can make grow or send: rows that are kept for it, requests said again, messages in a minute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, select

from commensal import Conflict, Instance, Transaction, insert_once

from ..messages.types import Refuse
from .peers import Peer
from .tables import federation_nonce


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


# Remembers nonces of requests, so that each signature is accepted once.

_ENDED = delete(federation_nonce).where(federation_nonce.c.expires_at < bindparam("now"))


class Replayed(Conflict):
    """A request with this nonce was received before."""

    def __init__(self) -> None:
        super().__init__("nonce", "This request was sent before.")


def keep_nonce(tx: Transaction, key_id: str, nonce: str, expires_at: datetime) -> None:
    """Stores the nonce of a verified request until its signature has expired. Raises `Replayed`.

    Their number is bounded by what a peer may send in a minute.
    """
    if not insert_once(tx, federation_nonce, {"key_id": key_id, "nonce": nonce, "expires_at": expires_at}):
        raise Replayed


def forget_nonces(tx: Transaction) -> None:
    """Deletes nonces whose signatures have expired."""
    tx.change(_ENDED, {"now": tx.now})


# Counts what a peer, or a stranger's address, sends in a minute; each process counts on its own, in memory.

MINUTE = timedelta(minutes=1)
_MOST = 10_000  # names counted at once; the longest silent one is forgotten first


class Windows:
    """Counters by name, each over a minute that begins with its first count. Their number is bounded."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[datetime, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, now: datetime, *, number: int = 1, size: int = 0) -> tuple[int, int]:
        """Adds to a counter; returns the number and the bytes of its present minute."""
        with self._lock:
            begins_at, number_before, size_before = self._current(name, now)
            self._counts[name] = (begins_at, number_before + number, size_before + size)
            self._counts.move_to_end(name)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)
            return number_before + number, size_before + size

    def counted(self, name: str, now: datetime) -> tuple[int, int]:
        """The number and the bytes of a counter's present minute."""
        with self._lock:
            return self._current(name, now)[1:]

    def wait(self, name: str, now: datetime) -> int:
        """Seconds until a counter's next minute begins, at least 1."""
        with self._lock:
            return max(1, int((self._current(name, now)[0] + MINUTE - now).total_seconds()) + 1)

    def _current(self, name: str, now: datetime) -> tuple[datetime, int, int]:
        begins_at, number, size = self._counts.get(name, (now, 0, 0))
        return (begins_at, number, size) if begins_at <= now < begins_at + MINUTE else (now, 0, 0)


def windows_of(instance: Instance) -> Windows:
    """This process's counters for the instance."""
    return instance.state.of(_new_windows)


def _new_windows(instance: Instance) -> Windows:
    return Windows()
