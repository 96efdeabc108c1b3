"""Cash on collection: the customer brings the money and pays when collecting the order.

A shop that switches it on may write its own instructions (small change, opening hours). The order stays unpaid until
whoever hands it over records the payment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from commensal import Payment, PaymentMethod, PaymentStart, Unfit, format_money, hookimpl, in_language, translate

BEGINS_HUBS = True

LONGEST = 500  # characters


@dataclass(frozen=True)
class Settings:
    instructions: str = ""
    """What customers should know beside the amount. Plain text, shown as it is."""

    other_instructions: Annotated[
        Mapping[str, Annotated[str, msgspec.Meta(max_length=LONGEST)]], msgspec.Meta(max_length=20)
    ] = field(default_factory=dict)
    """The instructions in other languages"""

    def __post_init__(self) -> None:
        if len(self.instructions) > LONGEST:
            raise Unfit("instructions: at most {most} characters", most=LONGEST)

    def instructions_in(self, language: str) -> str:
        """The instructions for a customer who reads this language; without any in it, the shop's own."""
        return in_language(language, "", self.instructions, self.other_instructions).text.strip()


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def payment_methods(settings: Settings, language: str) -> Sequence[PaymentMethod]:
    label, description = translate(language, "Cash on collection"), settings.instructions_in(language)
    return [PaymentMethod(id="cash", label=label, description=description, by_hand=True, in_till=True)]


@hookimpl
def start_payment(payment: Payment, order_number: int, settings: Settings, language: str) -> PaymentStart:
    """Returns instructions only: the payment waits for the customer, and ends when somebody records it."""
    text = translate(language, "Please bring {amount} to the distribution and name your order number, {number}.")
    line = text.format(amount=format_money(payment.amount, payment.currency, language), number=order_number)
    return PaymentStart(text="\n".join(part for part in (line, settings.instructions_in(language)) if part))
