"""Sends e-mails to an enterprise about its own affairs, from templates of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ...storage.database import Transaction
from ...storage.jobs import Promise, promise_all
from ...trade.enterprises.tables import enterprise, enterprise_member
from ...trade.people.tables import person


def mail_enterprise(tx: Transaction, enterprise_id: str, kind: str, values: Mapping[str, Any]) -> None:
    """Promises an e-mail to the enterprise's address in its language; without an address, to each of its owners.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``, which get `values` (what JSON can encode)
    and the enterprise's name as `enterprise`. Name the kind after the plugin. Raises `NotFound`.
    """
    row = tx.one(
        select(enterprise.c.name, enterprise.c.email, enterprise.c.language).where(enterprise.c.id == enterprise_id)
    )
    owners = (
        select(person.c.email)
        .join(enterprise_member, enterprise_member.c.person_id == person.c.id)
        .where(enterprise_member.c.enterprise_id == enterprise_id, enterprise_member.c.role == "owner")
        .order_by(person.c.email)
    )
    addresses = [row["email"]] if row["email"] else [owner["email"] for owner in tx.all(owners)]
    payload = {"kind": kind, "language": row["language"], "enterprise": row["name"], "values": dict(values)}
    promise_all(tx, [Promise("mail", {**payload, "to": address}) for address in addresses])
