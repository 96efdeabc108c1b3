"""Idempotency-Key: the transaction that makes a response also stores it, and a repeated request gets it again.

The same key with another request is refused (409). Keys of different actors are independent; rows are kept for 30 days.

Stored responses are in backups too. So a row holds only the hash of its key, and a response that holds a secret is
encrypted with what only the sender of the request has: the key itself and the body of the request. With a key of 20
random characters or more, like a UUID, that is as strong as the secret.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Column, Index, Table, Text, bindparam, delete, select, update

from ..base.errors import Conflict, Invalid, Problem
from .database import PERSONAL, Json, Time, Transaction, Whole, insert_once, metadata, untraced

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RETENTION = timedelta(days=30)
LONGEST = 255
_NONCE = 12  # bytes, as AES-GCM wants it

idempotent_answer = Table(
    "idempotent_answer",
    metadata,
    Column("actor", Text, primary_key=True, info=PERSONAL),  # the sender: keys of two actors are independent
    Column("key", Text, primary_key=True),  # SHA-256 of actor and Idempotency-Key
    Column("request_hash", Text, nullable=False),  # SHA-256 of method, path and body
    Column("status", Whole),  # NULL: the first request is still running
    Column("headers", Json),
    Column("body", Text, info=PERSONAL),
    Column("created_at", Time, nullable=False),
    Index("ix_idempotent_answer_created", "created_at"),
    sqlite_strict=True,
    info=untraced("it repeats an answer"),
)
_SAME_KEY = (idempotent_answer.c.actor == bindparam("wanted_actor"), idempotent_answer.c.key == bindparam("wanted_key"))
_SELECT_ANSWER = select(idempotent_answer).where(*_SAME_KEY)
_FREE_KEY = delete(idempotent_answer).where(*_SAME_KEY)
_STORE_ANSWER = update(idempotent_answer).where(*_SAME_KEY)


@dataclass(frozen=True)
class StoredAnswer:
    """A response as it was sent the first time; the body of a response that holds a secret is encrypted by a `Seal`."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Seal:
    """Encrypts the body of a response. Only the sender of the request, who has its key and its body, can read it."""

    key: str
    content: bytes

    def close(self, answer: StoredAnswer) -> StoredAnswer:
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher().encrypt(nonce, answer.body.encode(), None)
        return StoredAnswer(answer.status, answer.headers, base64.b64encode(sealed).decode())

    def open(self, answer: StoredAnswer) -> StoredAnswer:
        if answer.body.startswith("{"):  # of release 0.1.0; migration 0032 has taken the secret out
            return answer
        sealed = base64.b64decode(answer.body)
        return replace(answer, body=self._cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode())

    def _cipher(self) -> AESGCM:
        return _cipher_class()(
            hashlib.sha256(b"\n".join((b"idempotent answer", self.key.encode(), self.content))).digest()
        )


@cache
def _cipher_class() -> type[AESGCM]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # slow to import; few responses hold secrets

    return AESGCM


def request_hash(method: str, path: str, body: bytes) -> str:
    """SHA-256 of method, path with query, and body: two requests with the same hash count as the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def hash_key(actor: str, key: str | None) -> str:
    """SHA-256 of actor and key, since two actors may use the same key; "" without a key."""
    return "" if key is None else hashlib.sha256(f"{actor}\n{key}".encode()).hexdigest()


def read_key(header: str | None, *, needed: bool) -> str | None:
    """The key, or None. Raises `Invalid` for a malformed key, and for a missing one where it is `needed`."""
    if header is None:
        if needed:
            text = "Send an Idempotency-Key of your own making, so that a repeated request acts once."
            raise Invalid([Problem("idempotency_key_missing", text, "Idempotency-Key")])
        return None
    if not 1 <= len(header) <= LONGEST or not header.isprintable():
        text = "An Idempotency-Key has between 1 and {most} printable characters."
        raise Invalid([Problem("idempotency_key", text, "Idempotency-Key", {"most": LONGEST})])
    return header


def claim_key(tx: Transaction, actor: str, key: str, request_digest: str) -> StoredAnswer | None:
    """Claims the key for this request. Returns the stored response if the request was answered before, else None.

    Raises `Conflict` if the key was used for another request. A repeated request that comes while the first is running
    waits for it here: on its row (PostgreSQL), or for the write lock (SQLite).
    """
    name = hash_key(actor, key)
    claim = {"actor": actor, "key": name, "request_hash": request_digest, "created_at": tx.now}
    if insert_once(tx, idempotent_answer, claim):
        return None
    row = tx.one(_SELECT_ANSWER, {"wanted_actor": actor, "wanted_key": name})
    if row["request_hash"] != request_digest:
        raise Conflict("idempotency_key_used", "This Idempotency-Key was used for another request.")
    return StoredAnswer(row["status"], row["headers"], row["body"])


def stored_answer(tx: Transaction, actor: str, key: str) -> StoredAnswer | None:
    """The response to the request that has claimed this key, without headers while it is running; None: none has."""
    row = tx.first(_SELECT_ANSWER, {"wanted_actor": actor, "wanted_key": hash_key(actor, key)})
    return None if row is None else StoredAnswer(row["status"], row["headers"], row["body"])


def free_key(tx: Transaction, actor: str, key: str) -> None:
    """Takes a claim back: the next request with this key acts."""
    tx.execute(_FREE_KEY, {"wanted_actor": actor, "wanted_key": hash_key(actor, key)})


def store_answer(tx: Transaction, actor: str, key: str, answer: StoredAnswer) -> None:
    """Writes the response to the row that `claim_key` has made."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    tx.later(_STORE_ANSWER, {"wanted_actor": actor, "wanted_key": hash_key(actor, key), **values})


def forget_old_answers(tx: Transaction) -> int:
    """Deletes responses older than `RETENTION`; runs daily. Returns their number."""
    return tx.execute(delete(idempotent_answer).where(idempotent_answer.c.created_at < tx.now - RETENTION)).rowcount
