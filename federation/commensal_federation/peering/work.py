"""Sends peers the instance document when its keys have changed, and forgets requests that nobody answered."""

from __future__ import annotations

from datetime import timedelta

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue

from ..delivery.restore.restored import notice_restore
from ..runtime import federation_of
from .key_updates import peers_with_old_keys, send_key_update
from .waiting import forget_expired

TELL_KEYS = "federation.tell_keys"  # a job: {"peer": its id}


def work() -> Work:
    forgetting = Periodic("federation.forget_requests", timedelta(days=1), forget_expired, irreversible=True)
    return Work({TELL_KEYS: _tell_keys}, (forgetting,))


def enqueue_key_updates(tx: Transaction) -> None:
    """Enqueues a job for each peer that does not know the present keys. The periodic work of delivery calls it."""
    for peer_id in peers_with_old_keys(tx):
        enqueue(tx, TELL_KEYS, {"peer": peer_id})


def _tell_keys(instance: Instance, job: Job) -> None:
    federation = federation_of(instance)
    notice_restore(federation)
    instance.store.transact(lambda tx: send_key_update(federation, tx, job.payload["peer"]))
