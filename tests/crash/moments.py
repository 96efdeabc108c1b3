"""The failpoints at which each test kills. Together they are all failpoints, so that each is named and passed."""

from __future__ import annotations

WHILE_BUYING = (
    "order.taken",
    "request.before_commit",
    "request.committed",
    "payment.before_asking",
    "payment.asked",
    "payment.received",
    "payment.answered",
)
WHILE_WORKING = (
    "job.claimed",
    "job.done",
    "mail.unnamed",
    "mail.delivered",
    "event.told",
    "periodic.before_commit",
    "refund.before_asking",
    "refund.asked",
    "refund.given",
)
AT_CLOSING = ("sale.closed",)
BACKING_UP = ("backup.copied", "backup.packed", "backup.checked", "backup.named")
ARRIVING = ("arrival.unpacked", "arrival.filled", "arrival.checked")
MIGRATING = ("migration.before_commit", "migration.committed")
UPGRADING = ("upgrade.backed_up", "upgrade.migrated", "upgrade.checked")  # in tests/core/test_upgrade_killed.py
# In tests/core/test_replacing_killed.py:
REPLACING = (
    "replacing.built",
    "replacing.tried",
    "replacing.stopped",
    "replacing.migrated",
    "replacing.switched",
    "replacing.served",
)
RETURNING = (
    "returning.stopped",
    "returning.restored",
    "returning.replaced",
    "returning.recorded",
    "returning.switched",
)

ALL = {
    *WHILE_BUYING,
    *WHILE_WORKING,
    *AT_CLOSING,
    *BACKING_UP,
    *ARRIVING,
    *MIGRATING,
    *UPGRADING,
    *REPLACING,
    *RETURNING,
}
