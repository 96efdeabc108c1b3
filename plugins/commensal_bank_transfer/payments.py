"""Tells the customer how much to transfer, to which account and with which reference, as text and as a QR code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import segno.helpers
from stdnum import iban as iban_number
from stdnum.iso7064 import mod_97_10

from commensal import (
    Event,
    Instance,
    Order,
    Payment,
    PaymentMethod,
    PaymentStart,
    Transaction,
    format_day,
    format_money,
    hookimpl,
    mail_customer,
    order_by_id,
    sale_by_id,
    translate,
)

from .settings import Settings

# The reference of a transfer: an order's number as a creditor reference (ISO 11649) with check digits.
#
# Order 1024 is ``RF96 1024``: a wrong or missing digit is detected, so a transfer is never booked for another order.
# Blanks and lower case do not matter.

_LONGEST = 25  # characters (ISO 11649)
_RF = 2715  # the letters as ISO 7064 counts them; a statement may have a million references, which stdnum reads slowly
# "RF" with two check digits, then the number, perhaps in groups. A payer may write text around it.
_REFERENCE = re.compile(r"(?<![A-Z0-9])RF\s?\d{2}[\s\d]{1,25}")


def reference_of(order_number: int) -> str:
    """Returns the reference of an order in print format, with a blank after the check digits."""
    check = mod_97_10.calc_check_digits(f"{order_number}RF")
    return f"RF{check} {order_number}"


def order_numbers_in(text: str) -> set[int]:
    """Returns the order numbers in the valid references of this text.

    Digits that follow a blank may belong to something else (a date, an amount), so a reference may end at any blank. If
    two possible ends are valid, both numbers are returned, and a person must decide.
    """
    numbers = set()
    for match in _REFERENCE.finditer(text.upper()):
        reference = ""
        for group in match.group().split():
            reference += group
            if 4 < len(reference) <= _LONGEST and int(f"{reference[4:]}{_RF}{reference[2:4]}") % 97 == 1:
                numbers.add(int(reference[4:]))
    return numbers


MOST_BY_QR = 99_999_999_999  # cents: EPC069-12 allows amounts up to 999,999,999.99 euros


@hookimpl
def payment_methods(settings: Settings, language: str) -> Sequence[PaymentMethod]:
    if not settings.iban:
        return []
    return [PaymentMethod(id="transfer", label=translate(language, "Bank transfer"), by_hand=True)]


@hookimpl
def start_payment(
    instance: Instance, payment: Payment, order_number: int, settings: Settings, language: str
) -> PaymentStart:
    """Returns instructions only: the payment waits until a statement has a transfer with its reference."""
    reference = reference_of(order_number)
    amount = format_money(payment.amount, payment.currency, language)
    with instance.store.read() as tx:
        order = order_by_id(tx, payment.order_id, enterprise_id=payment.enterprise_id)
        last_day = _last_day(tx, order, settings.days, language)
    lines = [
        translate(language, "Please transfer {amount} by {day}:").format(amount=amount, day=last_day),
        settings.holder,
        f"IBAN {iban_number.format(settings.iban)}",
        *([f"BIC {settings.bic.upper()}"] if settings.bic else ()),
        translate(language, "Reference: {reference}").format(reference=reference),
    ]
    if order.awaits_scales:
        text = "Some goods are still to be weighed. You pay the rest later, or what is too much comes back to you."
        lines.append(translate(language, text))
    text = "\n".join(lines)
    return PaymentStart(text=text, picture=_qr_code(payment, reference, settings), reference=reference)


def _last_day(tx: Transaction, order: Order, days: int, language: str) -> str:
    """The day by which to pay: so many days from now, or that of the distribution if that is sooner and to come."""
    sale, last = sale_by_id(tx, order.session_id), tx.now + timedelta(days=days)
    if tx.now < sale.session.begins_at:
        last = min(last, sale.session.begins_at)
    return format_day(last, sale.shop.timezone, language)


def _qr_code(payment: Payment, reference: str, settings: Settings) -> str:
    """Returns the QR code of EPC069-12 as a data URI; "" for what the standard excludes, such as other currencies."""
    if payment.currency != "EUR" or payment.amount > MOST_BY_QR:
        return ""
    euros = Decimal(payment.amount).scaleb(-2)
    code = segno.helpers.make_epc_qr(
        name=settings.holder,
        iban=settings.account,
        amount=euros,
        reference=reference.replace(" ", ""),
        bic=settings.bic or None,
    )
    return str(code.png_data_uri(scale=4, border=4, light="white"))


# The e-mail to a customer whose transfer has arrived.

_METHOD = "bank_transfer:"
_ARRIVED = "bank_transfer_arrived"


@hookimpl
def mail_kinds() -> Mapping[str, str]:
    return {_ARRIVED: "transfer has arrived"}


@hookimpl
def order_paid(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    """Mails the customer of an order that is to be paid by transfer, if the shop wants that."""
    if settings.mail_when_arrived and order.payment_method.startswith(_METHOD):
        instance.store.transact(
            lambda tx: mail_customer(tx, order, _ARRIVED, {"amount": order.paid_total}, key=event.id)
        )
