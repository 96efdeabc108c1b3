"""Whose data: one person, over all enterprises of the instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DataSubject:
    """Somebody, as far as this instance knows them: with an account or without, as a customer of any enterprise.

    `email` is the address by which they are known, in small letters. `person_id` is None for who has no account.
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
    """Rows that a plugin keeps about somebody; `name` is that of their file in the archive, after the plugin's id."""

    name: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What an erasure did, or would do: rows by table. `kept_until` is when the last name on an order goes, which
    accounts must keep; None where none is kept."""

    pseudonym: str
    removed: Mapping[str, int]
    blanked: Mapping[str, int]
    identities: int
    kept_until: datetime | None
