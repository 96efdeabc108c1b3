"""Idempotency-Key: the transaction that makes a response also stores it, and a repeated request gets it again.

The same key with another request is refused (409). Keys of different actors are independent; rows are kept for 30 days.

Stored responses are in backups too. So a row holds only the hash of its key, and secrets in a response are encrypted
with what only the sender of the request has: the key itself and the body of the request. With a key of 20 random
characters or more, like a UUID, that is as strong as the secret.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import bindparam, delete, select, update

from ...base.errors import Conflict, Invalid, Problem
from ..database import Transaction, insert_once
from .tables import idempotent_answer

RETENTION = timedelta(days=30)
LONGEST = 255
_SAME_KEY = (idempotent_answer.c.actor == bindparam("wanted_actor"), idempotent_answer.c.key == bindparam("wanted_key"))
_SELECT_ANSWER = select(idempotent_answer).where(*_SAME_KEY)
_STORE_ANSWER = update(idempotent_answer).where(*_SAME_KEY)


@dataclass(frozen=True)
class StoredAnswer:
    """A response as it was sent the first time; `Seal` encrypts its secrets."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Seal:
    """Encrypts `fields` of a response. Only the sender of the request, who has its key and its body, can read them."""

    fields: Sequence[str]
    key: str
    content: bytes

    def close(self, answer: StoredAnswer) -> StoredAnswer:
        from cryptography.fernet import Fernet  # slow to import, and most responses hold no secret

        seal = Fernet(self._secret())
        return self._each(answer, lambda text: seal.encrypt(text.encode()).decode())

    def open(self, answer: StoredAnswer) -> StoredAnswer:
        from cryptography.fernet import Fernet

        seal = Fernet(self._secret())
        return self._each(answer, lambda text: seal.decrypt(text).decode())

    def _each(self, answer: StoredAnswer, change: Callable[[str], str]) -> StoredAnswer:
        fields = msgspec.json.decode(answer.body) if self.fields else {}
        secrets = {name: change(fields[name]) for name in self.fields if fields.get(name)}
        body = msgspec.json.encode({**fields, **secrets}).decode() if secrets else answer.body
        return StoredAnswer(answer.status, answer.headers, body)

    def _secret(self) -> bytes:
        material = b"\n".join((b"idempotent answer", self.key.encode(), self.content))
        return base64.urlsafe_b64encode(hashlib.sha256(material).digest())


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


def store_answer(tx: Transaction, actor: str, key: str, answer: StoredAnswer) -> None:
    """Writes the response to the row that `claim_key` has made."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    tx.later(_STORE_ANSWER, {"wanted_actor": actor, "wanted_key": hash_key(actor, key), **values})


def forget_old_answers(tx: Transaction) -> int:
    """Deletes responses older than `RETENTION`; runs daily. Returns their number."""
    return tx.execute(delete(idempotent_answer).where(idempotent_answer.c.created_at < tx.now - RETENTION)).rowcount
