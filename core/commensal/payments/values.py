"""Payments and the journal as the code outside this room sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OPEN = ("Started", "Pending")  # states of a payment that is under way


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment or a refund, under way or finished.

    kind:         payment or refund
    method:       "plugin:method"
    amount:       minor units of `currency`, positive for both kinds
    state:        Started (the plugin is being asked), Pending (the payer must act), Done, Failed, Cancelled
    reference:    the provider's, or a receipt's
    instructions: what the payer has to do next: a `text`, and the URL to which they are sent: `redirect`
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
        """The id of the plugin that offers the method."""
        return self.method.partition(":")[0]

    @property
    def is_under_way(self) -> bool:
        """Whether it is neither done nor given up yet."""
        return self.state in OPEN


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """An entry of the journal: money received or given back; `amount` in minor units, negative: given back.

    person_id: the person who recorded it; None: a provider's message
    corrects:  the sequence of the entry that a correction reverses
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
    """What a placed order costs and how much of it was paid, in minor units. A negative balance is owed to the
    customer; for a cancelled order, which costs nothing any more, that is all that was received.
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
    """A provider's message about a payment that only a person can settle; `amount` in minor units of `currency`.

    code:       unknown_payment, other_amount, other_currency (nothing was recorded: compare with the provider);
                owed (more was received than is due); refund_failed, refund_unclear (the provider does not answer; it
                is asked again), refund_contradicted (it had first answered the opposite)
    payment_id: as the provider named it
    order_id:   None if there is no such payment
    settled_by: the person who settled it; None while it is open, or if it was settled automatically
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
