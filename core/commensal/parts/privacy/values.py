"""Values of privacy: a person over all enterprises of the instance, and the outcome of an erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...storage.database import Row


@dataclass(frozen=True, kw_only=True)
class DataSubject:
    """All records of one person: with an account or without, as a customer of any enterprise.

    `email` is their address in lower case. `person_id` is None for a person without an account.
    """

    email: str
    person_id: str | None
    language: str
    customer_ids: Sequence[str]
    order_ids: Sequence[str]
    payment_ids: Sequence[str]

    @property
    def known(self) -> bool:
        return self.person_id is not None or bool(self.customer_ids) or bool(self.order_ids)


@dataclass(frozen=True, kw_only=True)
class KeptRows:
    """Rows that a plugin keeps about a person; `name` comes after the plugin's id in their file name."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """The effect of an erasure or dry run: numbers of rows by table.

    `kept_until` is when the last kept name on an order is deleted; None if none is kept.
    """

    pseudonym: str
    removed: Mapping[str, int]
    blanked: Mapping[str, int]
    identities: int
    kept_until: datetime | None
