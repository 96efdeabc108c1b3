"""Jobs and periodic work of this room. Periodic work has no instance, so it enqueues a job where it needs one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import bindparam, select

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue

from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation, federation_of
from ..transport import Unreachable
from .alerts import forget_what_is_over
from .inbox.dispatch import PATIENCE, give_up_parked
from .lanes import PULL, PUSH, RECOVER, RECOVER_REST, enqueue_pulls, enqueue_push
from .outbox.pushing import push
from .restore.recovering import look_for_restore, recover, recover_rest
from .restore.restored import notice_restore
from .sync.pulling import pull
from .sync.refreshing import REFRESH, refresh
from .sync.sweeping import forget_old, send_digests, wake
from .tables import federation_inbox

# What an instance does before it serves anybody: looks for a restore, and calls its peers.

HELLO = "federation.hello"  # a job: {"peer": its id}
_ACTIVE = select(federation_peer.c.id).where(federation_peer.c.state == "accepted").order_by(federation_peer.c.id)


def start(federation: Federation) -> None:
    """Looks for an unreported restore, and enqueues a call to each peer."""
    notice_restore(federation)
    with federation.instance.store.read() as tx:
        active = [row["id"] for row in tx.all(_ACTIVE)]
    if active:
        with federation.instance.store.write() as tx:
            for peer_id in active:
                enqueue(tx, HELLO, {"peer": peer_id})


def hello(instance: Instance, job: Job) -> None:
    """The job, which is tried once. The question is which of our messages the peer has: so it hears that we are up, and
    we hear if we were put back to an earlier moment without being told, as a virtual machine is that is rolled back."""
    federation, peer_id = federation_of(instance), job.payload["peer"]
    with instance.store.read() as tx:
        peer = peer_by_id(tx, peer_id)
    if not peer.active or peer.recovering:
        return
    try:
        look_for_restore(federation, peer)
    except Unreachable:
        return
    instance.store.transact(lambda tx: _catch_up(tx, peer_id))


def _catch_up(tx: Transaction, peer_id: str) -> None:
    peer = peer_by_id(tx, peer_id)
    if peer.active and not peer.recovering:
        enqueue_push(tx, peer_id)
        enqueue_pulls(tx, peer_id, peer.epoch_seen)


GIVE_UP = "federation.give_up"
DIGESTS = "federation.digests"

_box = federation_inbox.c
_LATE = select(_box.id).where(_box.state == "parked", _box.received_at < bindparam("before")).limit(1)


def work(also: Callable[[Transaction], None]) -> Work:
    """Returns the handlers of this room's jobs, and its periodic work. `also` runs each minute together with it."""
    return Work(
        {
            PUSH: push,
            PULL: pull,
            HELLO: hello,
            RECOVER: recover,
            RECOVER_REST: recover_rest,
            REFRESH: refresh,
            GIVE_UP: _give_up,
            DIGESTS: _digests,
        },
        (
            Periodic("federation.wake", timedelta(minutes=1), partial(_wake, also)),
            Periodic("federation.give_up", timedelta(minutes=1), _promise_to_give_up, irreversible=True),
            Periodic("federation.alerts", timedelta(hours=1), forget_what_is_over),
            Periodic("federation.forget", timedelta(days=1), forget_old, irreversible=True),
            Periodic("federation.digests", timedelta(days=1), lambda tx: enqueue(tx, DIGESTS, {})),
        ),
        irreversible=frozenset({GIVE_UP}),
    )


def _wake(also: Callable[[Transaction], None], tx: Transaction) -> None:
    wake(tx)
    also(tx)


def _promise_to_give_up(tx: Transaction) -> None:
    if tx.first(_LATE, {"before": tx.now - PATIENCE}) is not None:
        enqueue(tx, GIVE_UP, {})


def _give_up(instance: Instance, job: Job) -> None:
    instance.store.transact(lambda tx: give_up_parked(federation_of(instance), tx))


def _digests(instance: Instance, job: Job) -> None:
    federation = federation_of(instance)
    notice_restore(federation)
    instance.store.transact(lambda tx: send_digests(federation, tx))
