"""Refunds through the provider: promised, asked for under one key, and written down when the money has gone.

A refund that the provider does not answer stays as it is and is asked for again under the same key, for days if need
be; only the provider's own "no" ends it. So nothing is ever given back twice for want of an answer.
"""

from __future__ import annotations

from sqlalchemy import func, select

from ...base.errors import Conflict, PluginError, Refused
from ...base.failpoints import failpoint
from ...base.languages.catalogs import say
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import PaymentUpdate
from ...instance import Instance
from ...storage.database import Transaction
from ...storage.jobs import Job
from ..enterprises.plugins import enabled_plugins
from .due import due, held_due
from .payments import OPEN, payment_by_id, payment_by_key, write_once
from .problems import keep_problem
from .promises import REFUND, promise_again, promise_refund
from .refunds import owed_now, refund_failed, refuse_too_much
from .tables import payment as table
from .updates import apply_update
from .values import Payment

_UNCLEAR_AFTER = 3  # tries without an answer; then a person is told, and it is tried on


def begin_refund(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    payment_id: str,
    amount: int,
    *,
    idempotency_key: str,
    anyway: bool = False,
) -> Payment:
    """A refund of `amount` minor units of a received payment, in state Started; a job asks the provider for it.

    The same key and content is the same refund. Raises `NotFound`; `Conflict` where the money was not received, more
    would be given back than is owed for the order (`anyway`: than came for it), counting what is under way, or the
    provider cannot: then give it back by hand.
    """
    given = payment_by_id(tx, enterprise_id, payment_id)
    order = held_due(tx, enterprise_id, given.order_id)
    known = payment_by_key(tx, enterprise_id, idempotency_key)
    if known is None:
        given = payment_by_id(tx, enterprise_id, payment_id)  # as it is now that the order is held
        _refuse_unless_possible(tx, hooks, given, amount)
        refuse_too_much(tx, order, amount, anyway=anyway)
    begun = write_once(tx, order, "refund", given.method, amount, idempotency_key, refunds=payment_id)
    if known is None:
        promise_refund(tx, begun)
    return begun


def refund_by_provider(
    instance: Instance, payment: Payment, amount: int | None, *, key: str, anyway: bool = False
) -> Payment | None:
    """Begins a refund of `amount` minor units as `begin_refund` does. Not inside a transaction.

    Without an amount it is what is owed back for the order at this moment, as far as the payment reaches, and None is
    returned where nothing is. It is decided while the order is held: whoever has given it back meanwhile was first.
    """

    def act(tx: Transaction) -> Payment | None:
        wanted = _owed_of(tx, payment, key) if amount is None else amount
        if not wanted:
            return None
        whose = (tx, instance.hooks, payment.enterprise_id, payment.id)
        return begin_refund(*whose, wanted, idempotency_key=key, anyway=anyway)

    return instance.store.transact(act)


def _owed_of(tx: Transaction, payment: Payment, key: str) -> int:
    """What this payment can give back of what is owed; of a refund that was begun with the `key`, its amount."""
    order = held_due(tx, payment.enterprise_id, payment.order_id)
    known = payment_by_key(tx, payment.enterprise_id, key)
    return known.amount if known else min(owed_now(tx, order), payment.amount - _given_back_of(tx, payment))


def give_back(instance: Instance, job: Job) -> None:
    """Asks the provider for a refund, and applies what it says. Where it does not answer, the job comes back."""
    with instance.store.read() as tx:
        refund = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        given = payment_by_id(tx, refund.enterprise_id, refund.refunds or "")
        enabled = enabled_plugins(tx, refund.enterprise_id)
    if refund.state not in OPEN:
        return
    failpoint("refund.before_asking")
    try:
        said = instance.hooks.ask(
            specifications.refund_payment, refund.plugin, enabled, instance=instance, refund=refund, payment=given
        )
        _refuse_other(refund, said)
    except Refused as error:
        text = say(instance.settings.language, error)
        instance.store.transact(lambda tx: refund_failed(tx, refund.enterprise_id, refund.id, text=text))
        return
    except PluginError:
        if job.attempts >= _UNCLEAR_AFTER:
            instance.store.transact(lambda tx: keep_problem(tx, refund, "refund_unclear"))
        raise

    failpoint("refund.asked")

    def act(tx: Transaction) -> None:
        now = apply_update(tx, refund.enterprise_id, refund.plugin, said)
        if now is not None and now.state in OPEN:
            promise_again(tx, REFUND, refund, int(job.payload["asked"]))

    instance.store.transact(act)


def give_late_money_back(instance: Instance, job: Job) -> None:
    """Money has come for an order that was cancelled: its provider gives it back, if it can, unless somebody has.

    Nobody waits for that money and no goods are kept for it, so no person need decide. Money that is too much for an
    order that stands is another matter: the shop may keep it for the next one, and is only told.
    """
    with instance.store.read() as tx:
        late = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        order = due(tx, late.enterprise_id, late.order_id)
    if order.state != "Cancelled" or late.state != "Done":
        return
    try:
        refund_by_provider(instance, late, None, key=f"late:{late.id}")
    except Conflict:
        return  # by hand, then: it is listed as owed


def _refuse_unless_possible(tx: Transaction, hooks: Hooks, given: Payment, amount: int) -> None:
    if given.kind != "payment" or given.state != "Done":
        raise Conflict("not_received", "Only a payment that was received can be given back.")
    able = given.plugin in enabled_plugins(tx, given.enterprise_id)
    if not able or not hooks.implementing(specifications.refund_payment, {given.plugin}):
        raise Conflict("by_hand", "This way to pay gives nothing back by itself; record what you have given back.")
    if _given_back_of(tx, given) + amount > given.amount:
        raise Conflict("more_than_received", "More cannot be given back than was received for this order.")


def _given_back_of(tx: Transaction, given: Payment) -> int:
    """Minor units of a payment that its provider has given back or is giving back."""
    back = select(func.coalesce(func.sum(table.c.amount), 0)).where(
        table.c.refunds == given.id, table.c.state.in_((*OPEN, "Done"))
    )
    return int(tx.value(back))


def _refuse_other(refund: Payment, said: PaymentUpdate) -> None:
    if said.payment_id != refund.id:
        what = f"it was asked for {refund.id} and told of {said.payment_id}"
        raise PluginError(refund.plugin, "refund_payment", what)
