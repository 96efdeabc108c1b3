"""Cash on collection: the customer brings the money and pays when collecting the order.

A shop that switches it on may write its own instructions (small change, opening hours). The order stays unpaid until
whoever hands it over records the payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commensal import Payment, PaymentMethod, PaymentStart, Unfit, format_money, hookimpl, translate

LONGEST = 500  # characters


@dataclass(frozen=True)
class Settings:
    instructions: str = ""
    """What customers should know beside the amount. Plain text, shown as it is."""

    def __post_init__(self) -> None:
        if len(self.instructions) > LONGEST:
            raise Unfit("instructions: at most {most} characters", most=LONGEST)


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def payment_methods(settings: Settings, language: str) -> Sequence[PaymentMethod]:
    label = translate(language, "Cash on collection")
    return [PaymentMethod(id="cash", label=label, description=settings.instructions, by_hand=True, in_till=True)]


@hookimpl
def start_payment(payment: Payment, order_number: int, settings: Settings, language: str) -> PaymentStart:
    """Returns instructions only: the payment waits for the customer, and ends when somebody records it."""
    text = translate(language, "Please bring {amount} to the distribution and name your order number, {number}.")
    line = text.format(amount=format_money(payment.amount, payment.currency, language), number=order_number)
    return PaymentStart(text="\n".join(part for part in (line, settings.instructions.strip()) if part))
