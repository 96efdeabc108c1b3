"""Mails that tell members what has become of their own rights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from sqlalchemy import select

from ..base.languages.catalogs import translate
from ..people.tables import person
from ..storage.database import Transaction
from ..storage.jobs import NewJob, enqueue_all
from .tables import enterprise, enterprise_role

MemberMail = Literal["role_changed", "rights_changed", "member_removed"]


def tell_members(
    tx: Transaction, kind: MemberMail, enterprise_id: str, person_ids: Collection[str], *, by: str, role: str = ""
) -> None:
    """Promises each of these people a mail in their language, but not `by`, who did it and knows. `role` is the one
    that they have now; without an account that is in use nobody gets a mail."""
    their = person.c
    people = tx.all(
        select(their.email, their.name, their.language)
        .where(their.id.in_(sorted({*person_ids} - {by})), their.disabled_at.is_(None))
        .order_by(their.email)
    )
    if not people:
        return
    shop = tx.value(select(enterprise.c.name).where(enterprise.c.id == enterprise_id))
    jobs = []
    for each in people:
        values = {"shop": shop, **role_in_mail(tx, enterprise_id, role, each["language"])}
        about = {"to": each["email"], "name": each["name"], "language": each["language"]}
        jobs.append(NewJob("mail", {"kind": kind, "values": values, **about}))
    enqueue_all(tx, jobs)


def role_in_mail(tx: Transaction, enterprise_id: str, role: str, language: str) -> dict[str, str]:
    """The values by which a mail names a role: `role_name` is "" for one of the core, which the template has words
    for."""
    made = enterprise_role.c
    own_name = tx.value(select(made.name).where(made.id == role, made.enterprise_id == enterprise_id))
    of_plugin = tx.own_scopes.roles.get(role)
    return {"role": role, "role_name": own_name or (translate(language, of_plugin.label) if of_plugin else "")}
