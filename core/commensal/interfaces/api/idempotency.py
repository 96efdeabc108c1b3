"""Idempotency-Key: the answer is kept in the transaction that made it, and given again to whoever asks again.

The same key with another request is refused (409). Keys belong to who sent them; rows are kept for thirty days.

What is kept lies in backups too. So a row is found by the hash of its key, and secrets in an answer are sealed with
what only the sender of the request has: the key itself, and the request's body. A key of 20 random characters or more,
like a UUID, makes that as good as the secret.
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
from ...storage.database import Transaction, insert_once
from .tables import idempotent_answer

KEEP = timedelta(days=30)
LONGEST = 255
_THIS = (idempotent_answer.c.actor == bindparam("whose"), idempotent_answer.c.key == bindparam("which"))
_KEPT = select(idempotent_answer).where(*_THIS)
_KEEP = update(idempotent_answer).where(*_THIS)


@dataclass(frozen=True)
class Kept:
    """An answer as it was given the first time, but for its secrets while they are `sealed`."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Seal:
    """Seals the `fields` of an answer for whoever has sent this request with this key. Nobody else can open them."""

    fields: Sequence[str]
    key: str
    content: bytes

    def close(self, answer: Kept) -> Kept:
        from cryptography.fernet import Fernet  # it takes long to load, and most answers hold no secret

        seal = Fernet(self._secret())
        return self._each(answer, lambda text: seal.encrypt(text.encode()).decode())

    def open(self, answer: Kept) -> Kept:
        from cryptography.fernet import Fernet

        seal = Fernet(self._secret())
        return self._each(answer, lambda text: seal.decrypt(text).decode())

    def _each(self, answer: Kept, change: Callable[[str], str]) -> Kept:
        said = msgspec.json.decode(answer.body) if self.fields else {}
        changed = {name: change(said[name]) for name in self.fields if said.get(name)}
        body = msgspec.json.encode({**said, **changed}).decode() if changed else answer.body
        return Kept(answer.status, answer.headers, body)

    def _secret(self) -> bytes:
        material = b"\n".join((b"idempotent answer", self.key.encode(), self.content))
        return base64.urlsafe_b64encode(hashlib.sha256(material).digest())


def request_hash(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: method, path with query, and body."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def name_of(actor: str, key: str | None) -> str:
    """By this name is known what a request begins, since two actors may use the same key; empty without a key."""
    return "" if key is None else hashlib.sha256(f"{actor}\n{key}".encode()).hexdigest()


def read_key(header: str | None, *, needed: bool) -> str | None:
    """The key, or None. Raises `Invalid` for one that cannot be, and for a missing one that is needed."""
    if header is None:
        if needed:
            text = "Send an Idempotency-Key of your own making, so that a repeated request acts once."
            raise Invalid([Problem("idempotency_key_missing", text, "Idempotency-Key")])
        return None
    if not 1 <= len(header) <= LONGEST or not header.isprintable():
        text = "An Idempotency-Key has between 1 and {most} printable characters."
        raise Invalid([Problem("idempotency_key", text, "Idempotency-Key", {"most": LONGEST})])
    return header


def kept_answer(tx: Transaction, actor: str, key: str, hashed: str) -> Kept | None:
    """Claims the key for this request; the kept answer if it was answered before.

    A second request that comes while the first is under way waits for it here: on its row, or at the write gate.
    """
    name = name_of(actor, key)
    claim = {"actor": actor, "key": name, "request_hash": hashed, "created_at": tx.now}
    if insert_once(tx, idempotent_answer, claim):
        return None
    row = tx.one(_KEPT, {"whose": actor, "which": name})
    if row["request_hash"] != hashed:
        raise Conflict("idempotency_key_used", "This Idempotency-Key was used for another request.")
    return Kept(row["status"], row["headers"], row["body"])


def keep_answer(tx: Transaction, actor: str, key: str, answer: Kept) -> None:
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    tx.later(_KEEP, {"whose": actor, "which": name_of(actor, key), **values})


def forget_old_answers(tx: Transaction) -> int:
    """Deletes answers older than `KEEP`; runs daily. Returns how many."""
    return tx.execute(delete(idempotent_answer).where(idempotent_answer.c.created_at < tx.now - KEEP)).rowcount
