"""Orders are paid from accounts, and refunds go back to them. Each payment moves an account once."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    Conflict,
    Instance,
    NotFound,
    Order,
    Payment,
    PaymentMethod,
    PaymentStart,
    PaymentUpdate,
    Refused,
    Transaction,
    enterprise_by_id,
    hookimpl,
    order_by_id,
    translate,
)

from .accounts import account_of, move, moved_by, paid_by
from .gate import floor_of
from .settings import Settings


@hookimpl
def payment_methods(
    instance: Instance, enterprise_id: str, customer_id: str | None, settings: Settings, language: str
) -> Sequence[PaymentMethod]:
    """Only for who has an account here, and with what is on it."""
    if customer_id is None:
        return []
    with instance.store.read() as tx:
        try:
            account = account_of(tx, enterprise_id, customer_id)
        except NotFound:
            return []
        currency = enterprise_by_id(tx, enterprise_id).currency
    has = settings.shown(account.balance, currency, language)
    said = translate(language, "Your account holds {balance}.").format(balance=has)
    return [PaymentMethod(id="account", label=translate(language, "From my account"), description=said)]


@hookimpl
def start_payment(instance: Instance, payment: Payment, settings: Settings, language: str) -> PaymentStart:
    """Takes the amount, if the account may go so low. Asked twice for one payment, it takes once."""
    entry = instance.store.transact(lambda tx: _take(tx, payment, settings))
    said = translate(language, "Paid from your account, which now holds {balance}.")
    return PaymentStart(
        state="Done", text=said.format(balance=settings.shown(entry, payment.currency, language)), reference=payment.id
    )


@hookimpl
def payment_status(instance: Instance, payment: Payment) -> PaymentUpdate | None:
    """A crash between taking and writing it down leaves a payment open whose entry is there."""
    with instance.store.read() as tx:
        taken = moved_by(tx, payment.id)
    return _done(payment) if taken else None


@hookimpl
def refund_payment(instance: Instance, refund: Payment, settings: Settings) -> PaymentUpdate:
    instance.store.transact(lambda tx: _give_back(tx, refund, settings))
    return _done(refund)


def _take(tx: Transaction, payment: Payment, settings: Settings) -> int:
    """The balance after it."""
    order = _order(tx, payment)
    account = account_of(tx, payment.enterprise_id, order.customer_id or "", lock=True)
    if moved_by(tx, payment.id):
        return account.balance
    try:
        entry = move(
            tx, payment.enterprise_id, account.customer_id, "order", -settings.counted(payment.amount),
            floor=floor_of(account, settings), payment_id=payment.id, order_number=order.number,
        )  # fmt: skip
    except Conflict:
        has = settings.shown(account.balance, payment.currency, order.language)
        text = "There is not enough on your account for this order: it holds {balance}."
        raise Refused("balance_low", text, balance=has) from None
    return entry.balance


def _give_back(tx: Transaction, refund: Payment, settings: Settings) -> None:
    """Onto the account from which it was paid, whoever's the order is by now."""
    order = _order(tx, refund)
    customer_id = paid_by(tx, refund.refunds or "")
    account_of(tx, refund.enterprise_id, customer_id, lock=True)
    if not moved_by(tx, refund.id):
        move(
            tx, refund.enterprise_id, customer_id, "given back", settings.counted(refund.amount),
            floor=None, payment_id=refund.id, order_number=order.number,
        )  # fmt: skip


def _order(tx: Transaction, payment: Payment) -> Order:
    return order_by_id(tx, payment.order_id, enterprise_id=payment.enterprise_id)


def _done(payment: Payment) -> PaymentUpdate:
    return PaymentUpdate(
        payment_id=payment.id, state="Done", amount=payment.amount, currency=payment.currency, reference=payment.id
    )
