"""Tells the operators in an e-mail that a plugin was set aside: where, what this means for orders, and what to do."""

from __future__ import annotations

from typing import Literal

from ...hooks import specifications
from ...hooks.contract import Hook
from ...instance import Instance
from ...storage.database import Transaction
from ...storage.jobs import Job, NewJob, enqueue_all
from ...storage.jobs.run import note_for_retry
from .to_people import operators

Effect = Literal["orders", "refused", "skipped", "retried", "apart"]
# Hooks without which a shop that uses the plugin cannot take, change or cancel orders.
_NEEDED_BY_ORDERS = (
    "price_adjustments",
    "settle_adjustments",
    "order_problems",
    "order_changing",
    "book_shipping",
    "release_shipping",
)


def mail_set_aside(instance: Instance, job: Job) -> None:
    """Does the job that `hooks.failures` has enqueued: one e-mail to each operator, in their language."""
    instance.store.transact(lambda tx: _promise_mails(tx, job))


def effect_of(where: str) -> Effect:
    """What it means that a plugin is set aside at `where`: a hook, or a page, endpoint, report or job."""
    hook = getattr(specifications, where, None)
    if not isinstance(hook, Hook):
        return "apart"
    if hook.contract.on_error in ("skip", "undo"):
        return "skipped"
    if hook.contract.on_error == "retry":
        return "retried"
    return "orders" if where in _NEEDED_BY_ORDERS else "refused"


def _promise_mails(tx: Transaction, job: Job) -> None:
    if job.payload.get("mailed"):  # by a worker that was killed before the job was done
        return
    values = {**job.payload, "effect": effect_of(job.payload["where"])}
    mails = [
        NewJob(
            "mail",
            {
                "kind": "plugin_set_aside",
                "to": operator.email,
                "name": operator.name,
                "language": operator.language,
                "values": values,
            },
        )
        for operator in operators(tx)
    ]
    enqueue_all(tx, mails)
    note_for_retry(tx, job, mailed=True)
