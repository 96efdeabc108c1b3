"""Jobs that follow a payment up at its provider: what became of it, and that nobody shall pay it any more.

One chain of jobs for each payment, so the work does not grow with history. It makes good a message that never came and
an answer that was lost: both end as one entry of the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from ...base.errors import PluginError, Refused
from ...hooks import specifications
from ...hooks.values import PaymentUpdate
from ...instance import Instance
from ...storage.database import Transaction
from ...storage.jobs import Job
from ..enterprises.plugins import enabled_plugins
from .payments import OPEN, payment_by_id, payments_of
from .promises import STATUS, promise_again, still_to_call_off
from .updates import apply_update
from .values import Payment

_log = structlog.get_logger("commensal.payments")
_ALSO_ENDED = 3  # times that a payment which has failed is asked about: perhaps only the answer was lost


def follow_up(instance: Instance, job: Job) -> None:
    """Asks what became of a payment and applies the answer; then promises the next question while it is not decided."""
    found, enabled = _read(instance, job)
    if found.state == "Done":
        return
    said = _status(instance, found, enabled)
    asked = int(job.payload["asked"])

    def act(tx: Transaction) -> None:
        now = _applied(tx, found, said)
        waits = now.state in OPEN or (said is not None and said.state == "Pending") or asked + 1 < _ALSO_ENDED
        if now.state != "Done" and waits:
            promise_again(tx, STATUS, found, asked)

    instance.store.transact(act)


def call_off(instance: Instance, job: Job) -> None:
    """Tells the provider that nobody shall pay any more, then asks whether somebody had paid already."""
    found, enabled = _read(instance, job)
    if found.state != "Done":
        _call_off(instance, found, enabled)


def call_off_others(instance: Instance, begun: Payment) -> None:
    """Calls off what was begun for the order before, ahead of asking anybody to pay again: so that there are never two
    pages to pay on, and who has paid already is not asked twice. Where a provider does not answer, a job tries on.

    Not only what `begun` has taken the place of: whoever took that place before may have died on the way to calling
    off, and an attempt that failed without an answer may have charged all the same.
    """
    with instance.store.read() as tx:
        others = {one.id: one for one in payments_of(tx, begun.enterprise_id, begun.order_id) if one.id != begun.id}
        waiting = still_to_call_off(tx, others) if others else ()
        enabled = enabled_plugins(tx, begun.enterprise_id)
    for one in others.values():
        if one.id in waiting:
            try:
                _call_off(instance, one, enabled)
            except (PluginError, Refused) as error:
                _log.warning("a payment is called off later", plugin=one.plugin, exc_info=error)


def _call_off(instance: Instance, found: Payment, enabled: Mapping[str, Any]) -> None:
    if _knows(instance, specifications.cancel_payment, found, enabled):
        instance.hooks.tell(specifications.cancel_payment, found.plugin, enabled, instance=instance, payment=found)
    said = _status(instance, found, enabled)
    if said is not None:
        instance.store.transact(lambda tx: _applied(tx, found, said))


def _status(instance: Instance, found: Payment, enabled: Mapping[str, Any]) -> PaymentUpdate | None:
    if not _knows(instance, specifications.payment_status, found, enabled):
        return None
    said = instance.hooks.ask(
        specifications.payment_status, found.plugin, enabled, instance=instance, payment=found
    )  # fmt: skip
    if said is not None and said.payment_id != found.id:
        raise PluginError(found.plugin, "payment_status", f"it was asked for {found.id} and told of {said.payment_id}")
    return said


def _applied(tx: Transaction, found: Payment, said: PaymentUpdate | None) -> Payment:
    applied = apply_update(tx, found.enterprise_id, found.plugin, said) if said is not None else None
    return applied or payment_by_id(tx, found.enterprise_id, found.id)


def _read(instance: Instance, job: Job) -> tuple[Payment, Mapping[str, Any]]:
    with instance.store.read() as tx:
        found = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        return found, enabled_plugins(tx, found.enterprise_id)


def _knows(instance: Instance, hook: Any, found: Payment, enabled: Mapping[str, Any]) -> bool:
    """A plugin that was switched off meanwhile is not asked; it may be on again when it would be asked next."""
    return found.plugin in enabled and bool(instance.hooks.implementing(hook, {found.plugin}))
