"""Pays orders from accounts, and refunds to them. Each payment changes an account once."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    Conflict,
    Instance,
    NotFound,
    Order,
    OrderDraft,
    Payment,
    PaymentMethod,
    PaymentStart,
    PaymentUpdate,
    Problem,
    Refused,
    Transaction,
    enterprise_by_id,
    hookimpl,
    order_by_id,
    owed_by_customer,
    translate,
)

from .accounts import Account, account_of, has_moved, move_balance, paying_customer
from .settings import Settings

# Refuses orders to be paid by account that the account cannot pay.

METHOD = "account:account"
_WHERE = "/payment_method"


@hookimpl
def order_problems(
    tx: Transaction, order: OrderDraft, total: int, before: int, settings: Settings
) -> Sequence[Problem] | None:
    """Counts what other orders of this customer still owe to the account. The account is locked, so that two
    simultaneous orders do not count on the same money.
    """
    if order.payment_method != METHOD or total <= before:
        return None
    try:
        account = account_of(tx, order.enterprise_id, order.customer_id or "", lock=True)
    except NotFound:
        return [Problem("no_account", "You have no account at this shop.", _WHERE)]
    owed = owed_by_customer(
        tx, order.enterprise_id, account.customer_id, METHOD, lambda payment_id: has_moved(tx, payment_id)
    )
    needed = settings.to_account(owed + total - before)
    if account.balance - needed >= floor_of(account, settings):
        return None
    return [balance_low(account, settings, order.currency, order.language)]


def floor_of(account: Account, settings: Settings) -> int:
    """Returns the lowest balance that orders may reach."""
    return settings.minimum if account.minimum is None else account.minimum


def balance_low(account: Account, settings: Settings, currency: str, language: str) -> Problem:
    """Why the account does not pay an order: its balance, and the credit that the shop allows."""
    values = {"balance": settings.as_text(account.balance, currency, language)}
    text = "There is not enough on your account for this order: it holds {balance}."
    floor = floor_of(account, settings)
    if floor < 0:
        values["credit"] = settings.as_text(-floor, currency, language)
        text = (
            "There is not enough on your account for this order: its balance is {balance}, the credit allowed {credit}."
        )
    return Problem("balance_low", text, _WHERE, values)


@hookimpl
def payment_methods(
    instance: Instance, enterprise_id: str, customer_id: str | None, settings: Settings, language: str
) -> Sequence[PaymentMethod]:
    """Offers the account to customers who have one, with its balance."""
    if customer_id is None:
        return []
    with instance.store.read() as tx:
        try:
            account = account_of(tx, enterprise_id, customer_id)
        except NotFound:
            return []
        currency = enterprise_by_id(tx, enterprise_id).currency
    text = "Your account holds {balance}." if account.balance >= 0 else "Your account is {balance} below zero."
    balance = settings.as_text(abs(account.balance), currency, language)
    description = translate(language, text).format(balance=balance)
    return [PaymentMethod(id="account", label=translate(language, "From my account"), description=description)]


@hookimpl
def start_payment(instance: Instance, payment: Payment, settings: Settings, language: str) -> PaymentStart:
    """Takes the amount if the minimum allows it. A second call for the same payment takes nothing."""
    balance = instance.store.transact(lambda tx: _take_payment(tx, payment, settings))
    text = "Paid from your account, which now holds {balance}."
    if balance < 0:
        text = "Paid from your account, which is now {balance} below zero."
    shown = settings.as_text(abs(balance), payment.currency, language)
    return PaymentStart(state="Done", text=translate(language, text).format(balance=shown))


@hookimpl
def payment_status(instance: Instance, payment: Payment) -> PaymentUpdate | None:
    """Finishes a payment that a crash left open after its entry was written."""
    with instance.store.read() as tx:
        is_taken = has_moved(tx, payment.id)
    return _done_update(payment) if is_taken else None


@hookimpl
def refund_payment(instance: Instance, refund: Payment, settings: Settings) -> PaymentUpdate:
    instance.store.transact(lambda tx: _refund(tx, refund, settings))
    return _done_update(refund)


def _take_payment(tx: Transaction, payment: Payment, settings: Settings) -> int:
    """Takes the amount and returns the balance after it. Raises `Refused` if the minimum does not allow it."""
    order = _order(tx, payment)
    account = account_of(tx, payment.enterprise_id, order.customer_id or "", lock=True)
    if has_moved(tx, payment.id):
        return account.balance
    try:
        entry = move_balance(
            tx,
            payment.enterprise_id,
            account.customer_id,
            "order",
            -settings.to_account(payment.amount),
            floor=floor_of(account, settings),
            payment_id=payment.id,
            order_number=order.number,
        )
    except Conflict:
        problem = balance_low(account, settings, payment.currency, order.language)
        raise Refused(problem.code, problem.text, **problem.values) from None
    return entry.balance


def _refund(tx: Transaction, refund: Payment, settings: Settings) -> None:
    """Refunds to the account from which the payment came, whoever owns the order now."""
    order = _order(tx, refund)
    customer_id = paying_customer(tx, refund.refunds or "")
    account_of(tx, refund.enterprise_id, customer_id, lock=True)
    if not has_moved(tx, refund.id):
        move_balance(
            tx,
            refund.enterprise_id,
            customer_id,
            "given back",
            settings.to_account(refund.amount),
            floor=None,
            payment_id=refund.id,
            order_number=order.number,
        )


def _order(tx: Transaction, payment: Payment) -> Order:
    return order_by_id(tx, payment.order_id, enterprise_id=payment.enterprise_id)


def _done_update(payment: Payment) -> PaymentUpdate:
    return PaymentUpdate(payment_id=payment.id, state="Done", amount=payment.amount, currency=payment.currency)
