"""Where an enterprise gets e-mails about its own affairs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ..people.tables import person
from ..storage.database import Transaction
from .tables import enterprise, enterprise_member


@dataclass(frozen=True, kw_only=True)
class EnterpriseAddresses:
    """`emails`: the enterprise's address; without one, those of its owners. `language` is the enterprise's."""

    name: str
    language: str
    emails: tuple[str, ...]


def addresses_of(tx: Transaction, enterprise_id: str) -> EnterpriseAddresses:
    """Returns the addresses of an enterprise. Raises `NotFound`."""
    row = tx.one(
        select(enterprise.c.name, enterprise.c.email, enterprise.c.language).where(enterprise.c.id == enterprise_id)
    )
    owners = (
        select(person.c.email)
        .join(enterprise_member, enterprise_member.c.person_id == person.c.id)
        .where(enterprise_member.c.enterprise_id == enterprise_id, enterprise_member.c.role == "owner")
        .order_by(person.c.email)
    )
    emails = (row["email"],) if row["email"] else tuple(owner["email"] for owner in tx.all(owners))
    return EnterpriseAddresses(name=row["name"], language=row["language"], emails=emails)
