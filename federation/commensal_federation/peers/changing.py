"""Writes peers: new ones, changes by operators and by their own messages; and limits the rows kept for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, insert, select, update

from commensal import Conflict, Instance, Invalid, Problem, Transaction, insert_once

from ..identity import InstanceDocument
from ..messages.types import Refuse
from ..runtime import Federation
from .peers import Peer
from .tables import federation_nonce, federation_peer

_peer = federation_peer.c


def new_peer(tx: Transaction, document: InstanceDocument, text: str, **values: object) -> str:
    """Inserts an instance of which only the document is known. Returns its id."""
    row = {
        "id": tx.new_id(),
        "iri": document.iri,
        "name": document.name,
        "document": text,
        "document_at": tx.now,
        "looked_at": tx.now,
        "scopes_given": [],
        "scopes_received": [],
        "limits": {},
        "request": "",
        "epoch_seen": 0,
        "created_at": tx.now,
        "keys_told": "",
        "recovering": False,
        "breaker": "closed",
        "failures": 0,
        "version": 1,
        **values,
    }
    tx.execute(insert(federation_peer), row)
    return str(row["id"])


def change_peer(tx: Transaction, peer_id: str, **values: object) -> None:
    """Sets these columns, for changes by operators or agreements, and increments the version."""
    statement = update(federation_peer).where(_peer.id == peer_id)
    tx.execute(statement.values(**values, version=_peer.version + 1))


def record_acceptance(federation: Federation, tx: Transaction, peer: Peer, nonce: str, scopes: Sequence[str]) -> None:
    """Records that the invited peer has accepted. Raises `Refuse` for an answer to another invitation."""
    if tx.value(select(_peer.nonce).where(_peer.id == peer.id)) != nonce:
        raise Refuse("nonce", "This accepts an invitation that was not sent.")
    accepted_at = peer.accepted_at or tx.now
    change_peer(
        tx, peer.id, state="accepted", accepted_at=accepted_at, scopes_received=known_scopes(federation, scopes)
    )


def record_received_scopes(federation: Federation, tx: Transaction, peer: Peer, scopes: Sequence[str]) -> None:
    """Records the scopes that the peer now grants us."""
    change_peer(tx, peer.id, scopes_received=known_scopes(federation, scopes))


def known_scopes(federation: Federation, scopes: Collection[str]) -> list[str]:
    """The scopes that this version knows, sorted; a peer of a newer version may send others."""
    return sorted(set(scopes) & set(federation.scopes))


def read_scopes(federation: Federation, scopes: Collection[str], where: str) -> list[str]:
    """The scopes, sorted and distinct. Raises `Invalid` for an unknown one."""
    unknown_scopes = sorted(set(scopes) - set(federation.scopes))
    if unknown_scopes:
        values = {"unknown": ", ".join(unknown_scopes), "known": ", ".join(federation.scopes)}
        raise Invalid([Problem("scope", "{unknown} is not a scope; known are {known}.", where, values)])
    return sorted(set(scopes))


# Limits the rows that are kept for a peer, so that no table grows without bound whatever it sends.


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
