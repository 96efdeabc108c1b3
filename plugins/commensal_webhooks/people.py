"""What messages say of one person. No key leads from a message to them: its text is searched."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, or_, select

from commensal import DataSubject, KeptRows, Transaction, hookimpl

from .tables import webhooks_delivery


@hookimpl
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows]:
    """Messages that tell of them or of their orders, as they were sent."""
    row = webhooks_delivery.c
    wanted = select(row.id, row.kind, row.state, row.created_at, row.body).where(_about(person))
    return [KeptRows(name="delivery", rows=[dict(one) for one in tx.all(wanted.order_by(row.id))])]


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Such messages go, those that wait too: whom they tell of is to be forgotten."""
    tx.execute(delete(webhooks_delivery).where(_about(person)))


def _about(person: DataSubject) -> ColumnElement[bool]:
    body = webhooks_delivery.c.body
    named = (*person.order_ids, *person.customer_ids, *([person.person_id] if person.person_id else ()), person.email)
    return or_(*(body.contains(one, autoescape=True) for one in named))
