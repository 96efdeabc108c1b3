"""Export and erasure of messages about a person, found by a search in their text since no key leads to the person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, or_, select

from commensal import DataSubject, KeptRows, Transaction, hookimpl

from .tables import webhooks_delivery


@hookimpl
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows]:
    """The messages that mention the person or their orders, as they were sent."""
    columns = webhooks_delivery.c
    query = select(columns.id, columns.kind, columns.state, columns.created_at, columns.body).where(_about(person))
    return [KeptRows(name="delivery", rows=[dict(row) for row in tx.all(query.order_by(columns.id))])]


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Deletes the messages that mention the person or their orders, waiting ones included."""
    tx.execute(delete(webhooks_delivery).where(_about(person)))


def _about(person: DataSubject) -> ColumnElement[bool]:
    body = webhooks_delivery.c.body
    identifiers = (
        *person.order_ids,
        *person.customer_ids,
        *([person.person_id] if person.person_id else ()),
        person.email,
    )
    return or_(*(body.contains(identifier, autoescape=True) for identifier in identifiers))
