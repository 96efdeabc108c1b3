"""Payments and the journal as everybody outside this room sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money under way, or given back.

    kind:         payment or refund
    method:       "plugin:method"
    amount:       minor units of `currency`, positive for both kinds
    state:        Started (the plugin is being asked), Pending (the payer's turn), Done, Failed, Cancelled
    reference:    the provider's, or a receipt's
    instructions: what the payer is to do next: a `text`, and where they are sent: `redirect`
    refunds:      the payment that a refund through its provider gives back
    """

    id: str
    enterprise_id: str
    order_id: str
    kind: str
    method: str
    amount: int
    currency: str
    state: str
    reference: str
    instructions: Mapping[str, Any] | None
    created_at: datetime
    changed_at: datetime
    refunds: str | None = None

    @property
    def plugin(self) -> str:
        """Whose way to pay it is."""
        return self.method.partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """What was received or given back, as it was written down; `amount` in minor units, negative: given back.

    person_id: who wrote it down; None is a provider's message
    corrects:  the sequence of the entry that a correction takes back
    """

    enterprise_id: str
    sequence: int
    at: datetime
    kind: str
    payment_id: str
    order_id: str
    order_number: int
    method: str
    amount: int
    currency: str
    person_id: str | None
    corrects: int | None
    previous_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a placed order costs and what of it was paid, in minor units. A negative balance is owed to the customer:
    all that was received for an order that is cancelled, for it costs nothing any more.
    """

    order_id: str
    enterprise_id: str
    number: int
    email: str
    state: str
    currency: str
    total: int
    paid: int

    @property
    def balance(self) -> int:
        return (0 if self.state == "Cancelled" else self.total) - self.paid


@dataclass(frozen=True, kw_only=True)
class PaymentProblem:
    """What a provider said of a payment and only a person can settle; `amount` in minor units of `currency`.

    code:       unknown_payment, other_amount, other_currency (nothing was written down: compare with the provider);
                owed (more came than is due); refund_failed, refund_unclear (the provider does not answer; it is asked
                again), refund_contradicted (it first said otherwise)
    payment_id: as the provider named it
    order_id:   None where there is no such payment
    settled_by: the person who did; None while it is open, or where it has settled itself
    """

    id: str
    enterprise_id: str
    plugin: str
    code: str
    payment_id: str
    order_id: str | None
    amount: int
    currency: str
    reference: str
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None
