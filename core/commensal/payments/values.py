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
    """What a placed order costs and what of it was paid, in minor units. A negative balance is owed to the customer."""

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
        return self.total - self.paid
