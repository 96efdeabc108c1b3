"""Named places where a test can pull the plug, exactly there and again and again.

A power cut does not choose its moment kindly, and a test that kills a process at random moments seldom hits the few
that matter: after a provider has charged and before that is written down. So those moments have names in the code that
runs for real. It is the method of FoundationDB's BUGGIFY and of FreeBSD's fail(9); a copy of the code made for tests
would prove nothing about the code.

While nothing is armed, which is always outside tests, a failpoint is a look at one global. Only who starts the process
can arm one: by ``COMMENSAL_FAILPOINT=order.taken:3`` the process ends as by ``kill -9`` when it is there the third
time. No setting of an instance and no request can.
"""

from __future__ import annotations

import os
import signal
import threading

# All there are, in the order in which an instance comes past them; tests/crash kills at each.
FAILPOINTS = frozenset(
    {
        # Any request that changes something, in its transaction with the kept answer; then committed, not answered.
        "request.before_commit",
        "request.committed",
        # An order: its goods are taken, it is not written down yet.
        "order.taken",
        # A payment: begun, nobody asked; the provider has answered; the money is half written down; committed.
        "payment.before_asking",
        "payment.asked",
        "payment.received",
        "payment.answered",
        # A refund: promised and nobody asked; the provider has given it; half written down.
        "refund.before_asking",
        "refund.asked",
        "refund.given",
        # A job: claimed and nothing done; done and not noted. Periodic work, before its slot is committed with it.
        "job.claimed",
        "job.done",
        "periodic.before_commit",
        # A message: on the disk, without its name; delivered, which nobody knows yet.
        "mail.unnamed",
        "mail.delivered",
        # A plugin has been told what happened.
        "event.told",
        # A sale has closed and its orders are complete, which nobody was told.
        "sale.closed",
        # A revision of the database, before and after its commit.
        "migration.before_commit",
        "migration.committed",
        # An upgrade: backed up, nothing changed; migrated, unchecked; checked, which nothing says yet.
        "upgrade.backed_up",
        "upgrade.migrated",
        "upgrade.checked",
        # A backup: only its database packed; packed, unchecked; checked, unnamed; named, older ones not gone.
        "backup.copied",
        "backup.packed",
        "backup.checked",
        "backup.named",
        # An instance that arrives, by restore or import: unpacked; its rows read; all there, without its name.
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


def arm(said: str) -> None:
    """Arms ``name:hit``, or disarms with an empty text. Raises `ValueError` for a name or a hit that cannot be."""
    global _armed
    name, _, hit = said.rpartition(":")
    if said and (name not in FAILPOINTS or int(hit) < 1):
        raise ValueError(f"there is no failpoint {said!r}")
    _armed = _Armed(name, int(hit)) if said else None


def failpoint(name: str) -> None:
    """Does nothing, unless this very place was armed when the process started: then the process dies here."""
    if _armed is not None:
        _armed.pass_by(name)


_armed: _Armed | None = None
arm(os.environ.get("COMMENSAL_FAILPOINT", ""))
