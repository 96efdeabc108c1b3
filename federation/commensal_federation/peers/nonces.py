"""Requests that were seen already: a signature counts once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete

from commensal import Conflict, Transaction, insert_once

from .tables import federation_nonce

_ENDED = delete(federation_nonce).where(federation_nonce.c.expires_at < bindparam("now"))


class Replayed(Conflict):
    """The request has been here before."""

    def __init__(self) -> None:
        super().__init__("nonce", "This request was sent before.")


def keep_nonce(tx: Transaction, key_id: str, nonce: str, expires_at: datetime) -> None:
    """Notes the nonce of a proven request until its signature has run out. Raises `Replayed`.

    How many there are at once is bounded by what a peer may send in a minute.
    """
    if not insert_once(tx, federation_nonce, {"key_id": key_id, "nonce": nonce, "expires_at": expires_at}):
        raise Replayed


def forget_nonces(tx: Transaction) -> None:
    """Those whose signatures have run out."""
    tx.change(_ENDED, {"now": tx.now})
