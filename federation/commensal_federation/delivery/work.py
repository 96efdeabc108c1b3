"""Jobs and periodic work of this room. Periodic work has no instance, so it enqueues a job where it needs one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import bindparam, select

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue

from ..runtime import federation_of
from .inbox.dispatch import PATIENCE
from .inbox.parking import give_up_parked
from .lanes import PULL, PUSH, RECOVER, RECOVER_REST
from .outbox.pushing import push
from .restore.recovering import recover, recover_rest
from .restore.restored import notice_restore
from .starting import HELLO, hello
from .sync.pulling import pull
from .sync.refreshing import REFRESH, refresh
from .sync.sweeping import forget_old, send_digests, wake
from .tables import federation_inbox

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
