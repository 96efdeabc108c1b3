"""Failpoints: named places in the code where a test can kill the process.

A test that kills a process at random seldom hits the few moments that matter, such as after a provider has charged a
card and before that is stored. So those moments have names in the production code, as in FoundationDB's BUGGIFY and
FreeBSD's fail(9); a copy of the code for tests would prove nothing about the code.

Outside tests nothing is armed, and a failpoint only reads one global. Only the environment of the process can arm one:
with ``COMMENSAL_FAILPOINT=order.taken:3`` the process ends as by ``kill -9`` when it passes ``order.taken`` for the
third time. No setting and no request can.
"""

from __future__ import annotations

import os
import signal
import threading

# All failpoints, in the order in which an instance passes them; tests/crash kills the process at each.
FAILPOINTS = frozenset(
    {
        # Any request that changes something: before the commit of its effect and its response; before the response.
        "request.before_commit",
        "request.committed",
        # An order: its stock is taken, its rows are not inserted yet.
        "order.taken",
        # A payment: begun, provider not asked; provider asked; journal half written; committed.
        "payment.before_asking",
        "payment.asked",
        "payment.received",
        "payment.answered",
        # A refund: enqueued, provider not asked; provider has refunded; journal half written.
        "refund.before_asking",
        "refund.asked",
        "refund.given",
        # A job: claimed and not run; run and not marked as done. Periodic work, before it commits with its slot.
        "job.claimed",
        "job.done",
        "periodic.before_commit",
        # An e-mail: written under a temporary name; delivered and not marked as delivered.
        "mail.unnamed",
        "mail.delivered",
        # A plugin has handled an event.
        "event.told",
        # A sale has closed and its orders are complete, before the events are sent.
        "sale.closed",
        # A revision of the database, before and after its commit.
        "migration.before_commit",
        "migration.committed",
        # An upgrade: backed up, nothing changed; migrated, not checked; checked, not recorded.
        "upgrade.backed_up",
        "upgrade.migrated",
        "upgrade.checked",
        # Another version takes the place of the one that runs: installed beside it; tried on a copy; services stopped;
        # databases migrated; the link leads to it; it serves.
        "replacing.built",
        "replacing.tried",
        "replacing.stopped",
        "replacing.migrated",
        "replacing.switched",
        "replacing.served",
        # Going back: services stopped; the database of before ready; in its place; recorded; the link leads back.
        "returning.stopped",
        "returning.restored",
        "returning.replaced",
        "returning.recorded",
        "returning.switched",
        # A backup: only its database packed; packed, not checked; checked, not renamed; older ones not deleted.
        "backup.copied",
        "backup.packed",
        "backup.checked",
        "backup.named",
        # A restore, an import or a new instance: unpacked; rows inserted; complete, not renamed.
        "arrival.unpacked",
        "arrival.filled",
        "arrival.checked",
    }
)


class _Armed:
    def __init__(self, name: str, hit: int) -> None:
        self.name, self._left, self._lock = name, hit, threading.Lock()

    def pass_by(self, name: str) -> None:
        if name != self.name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def arm(text: str) -> None:
    """Arms ``name:hit``, or disarms if `text` is "". Raises `ValueError` for an unknown name or a hit below 1."""
    global _armed
    name, _, hit = text.rpartition(":")
    if text and (name not in FAILPOINTS or int(hit) < 1):
        raise ValueError(f"there is no failpoint {text!r}")
    _armed = _Armed(name, int(hit)) if text else None


def failpoint(name: str) -> None:
    """Kills the process if this failpoint was armed when it started; otherwise does nothing."""
    if _armed is not None:
        _armed.pass_by(name)


_armed: _Armed | None = None
arm(os.environ.get("COMMENSAL_FAILPOINT", ""))
