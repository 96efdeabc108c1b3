"""Begins the payment of an order: written down, then the plugin is asked without a transaction, then its answer.

So no lock is held while a provider thinks, and a crash in between leaves a payment in state Started: the same key asks
the plugin again, with the same payment id.
"""

from __future__ import annotations

import structlog
from sqlalchemy import select

from ...base.errors import Conflict, NotFound, PluginError, Refused
from ...base.failpoints import failpoint
from ...base.languages.catalogs import say, translate
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import PaymentStart
from ...instance import Instance
from ...storage.database import Transaction
from ..enterprises.plugins import enabled_plugins
from ..orders.letters import send_confirmation_now
from ..orders.tables import customer_order
from .due import due, held_due
from .following import call_off_others
from .methods import ChosenMethod, choose_method
from .payments import answer_late, ask_payer, cancel_open, fail, payment_by_id, payment_by_key, record_payment, start
from .promises import promise_cancel, promise_status
from .values import Payment

_log = structlog.get_logger("commensal.payments")


def start_payment(
    instance: Instance, order_id: str, method: str, key: str, language: str, *, return_url: str = ""
) -> Payment:
    """Begins a payment as `begin_payment` does, and asks its plugin. Not inside a transaction.

    `return_url` is the page to which a provider sends the customer back.
    """
    chosen = choose_method(instance, order_id, method, language)
    begun = instance.store.transact(lambda tx: begin_payment(tx, instance.hooks, chosen, key))
    return ask_plugin(instance, begun, language, return_url)


def begin_payment(tx: Transaction, hooks: Hooks, chosen: ChosenMethod, key: str) -> Payment:
    """A payment of all that is due for a placed order by the `chosen` method, in state Started.

    What was begun for the order before and is not paid yet is Cancelled: the customer has chosen anew. The same `key`
    gives the same payment. Raises `NotFound`; `Conflict` where nothing is due, the order is cancelled, the method is
    not offered for this order, or the key was used for something else.
    """
    order_id, method = chosen.order_id, chosen.method
    enterprise_id = tx.value(select(customer_order.c.enterprise_id).where(customer_order.c.id == order_id))
    if enterprise_id is None:
        raise NotFound("no_order", "There is no such order.")
    order = held_due(tx, enterprise_id, order_id)
    found = payment_by_key(tx, enterprise_id, key)
    if found is not None and (found.order_id, found.kind, found.method) == (order_id, "payment", method):
        return found  # for what was due then: it may be another amount by now
    if order.state != "Cancelled" and order.balance <= 0:
        raise Conflict("nothing_due", "Nothing is due for this order.")
    if not chosen.offered:
        text = "This way to pay is not offered for this order. Choose another one, or log in if you are a customer."
        raise Conflict("payment_unknown", text)
    cancel_open(tx, order_id)
    whole = {"enterprise_id": enterprise_id, "order_id": order_id, "method": method, "amount": order.total - order.paid}
    begun = start(tx, **whole, idempotency_key=key)
    if hooks.implementing(specifications.payment_status, {begun.plugin}):
        promise_status(tx, begun)
    return begun


def ask_plugin(instance: Instance, begun: Payment, language: str, return_url: str = "") -> Payment:
    """Asks the plugin to begin the payment, and writes down what it says. Not inside a transaction.

    Where the provider says no or the plugin fails, the payment is Failed and its instructions have a text for the
    customer; the order stays. Where the plugin failed, nobody knows what it had done: so it is told to call off the
    payment, and asked later what became of it. A payment that is not Started any more is returned as it is; so is one
    in whose place an earlier one turns out to be paid.
    """
    if begun.state != "Started":
        return begun
    call_off_others(instance, begun)
    with instance.store.read() as tx:
        begun = payment_by_id(tx, begun.enterprise_id, begun.id)
    if begun.state != "Started":
        return begun  # what was begun before had been paid
    failpoint("payment.before_asking")
    try:
        answer = _ask(instance, begun, language, return_url or instance.settings.base_url)
    except (Refused, PluginError) as error:
        said, unclear = _for_customer(error, language), isinstance(error, PluginError)
        return instance.store.transact(lambda tx: _told(tx, _failed(tx, begun, said, unclear=unclear)))
    failpoint("payment.asked")
    answered = instance.store.transact(lambda tx: _told(tx, _answered(tx, begun, answer)))
    failpoint("payment.answered")
    return answered


def _ask(instance: Instance, begun: Payment, language: str, return_url: str) -> PaymentStart:
    plugin, _, method = begun.method.partition(":")
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, begun.enterprise_id)
        order = due(tx, begun.enterprise_id, begun.order_id)
    answer = instance.hooks.ask(
        specifications.start_payment,
        plugin,
        enabled,
        instance=instance,
        payment=begun,
        method=method,
        order_number=order.number,
        email=order.email,
        return_url=return_url,
        language=language,
    )
    return answer


def _answered(tx: Transaction, begun: Payment, answer: PaymentStart) -> Payment:
    """A message of the provider, or the customer's next choice, may have been quicker than this answer."""
    if answer.state == "Done":
        return record_payment(tx, begun.enterprise_id, begun.id, person_id=None, reference=answer.reference)
    now = payment_by_id(tx, begun.enterprise_id, begun.id)
    told = {"text": answer.text, "redirect": answer.redirect, "picture": answer.picture}
    moved = ask_payer(tx, begun.enterprise_id, begun.id, instructions=told, reference=answer.reference or now.reference)
    return moved if moved.state == "Pending" else answer_late(tx, begun, reference=answer.reference)


def _told(tx: Transaction, payment: Payment) -> Payment:
    """Now it is known how the order is to be paid, and its e-mail can say so."""
    send_confirmation_now(tx, payment.order_id)
    return payment


def _failed(tx: Transaction, begun: Payment, text: str, *, unclear: bool) -> Payment:
    failed = fail(tx, begun.enterprise_id, begun.id, text=text)
    if unclear and failed.state == "Failed":
        promise_cancel(tx, failed)
    return failed


def _for_customer(error: Refused | PluginError, language: str) -> str:
    if isinstance(error, Refused):
        return say(language, error)
    _log.warning("a payment could not be begun", plugin=error.plugin, exc_info=error)
    return translate(language, "This way to pay does not work at the moment. Please choose another one.")
