"""The job that sends a peer the instance document when its keys have changed."""

from __future__ import annotations

from commensal import Instance, Job, Transaction, Work, promise

from ..delivery.restore.restored import notice_restore
from ..runtime import federation_of
from .key_updates import peers_with_old_keys, send_key_update

TELL_KEYS = "federation.tell_keys"  # a job: {"peer": its id}


def work() -> Work:
    return Work({TELL_KEYS: _tell_keys})


def promise_key_updates(tx: Transaction) -> None:
    """Enqueues a job for each peer that does not know the present keys. The periodic work of delivery calls it."""
    for peer_id in peers_with_old_keys(tx):
        promise(tx, TELL_KEYS, {"peer": peer_id})


def _tell_keys(instance: Instance, job: Job) -> None:
    federation = federation_of(instance)
    notice_restore(federation)
    instance.store.transact(lambda tx: send_key_update(federation, tx, job.payload["peer"]))
