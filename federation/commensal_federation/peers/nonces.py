"""Remembers nonces of requests, so that each signature is accepted once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete

from commensal import Conflict, Transaction, insert_once

from .tables import federation_nonce

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
