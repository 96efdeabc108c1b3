"""Deliveries: a message to one hook, from the event until it is delivered or given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, literal, or_, select, update

from commensal import (
    Conflict,
    DataSubject,
    Event,
    Flag,
    KeptRows,
    NotFound,
    Row,
    Transaction,
    enqueue,
    hookimpl,
    insert_once,
)

from .data import body_of
from .hooks import Hook, hook_by_id, wants
from .tables import webhooks_delivery, webhooks_hook

DELIVER = "webhooks.deliver"  # the kind of job; its handler is `deliver`
KEPT = timedelta(days=30)  # for so long deliveries are listed and can be sent again
TEST = "test"  # the kind of test messages, which have no data


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The delivery of a message to a hook.

    state:  waiting; delivered; parked: given up after its last try; dropped: the hook was switched off before
    tries:  number of tries; "send again" starts at 0 again
    status: HTTP status of the last answer; None: there was no answer
    error:  the error of the last try
    due_at: time of the next try
    """

    id: str
    hook_id: str
    event_id: str
    kind: str
    state: str
    tries: int
    status: int | None
    error: str
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None


_ENABLED_HOOKS = (
    select(webhooks_hook)
    .where(webhooks_hook.c.enterprise_id == bindparam("enterprise"), webhooks_hook.c.enabled == literal(True, Flag))
    .order_by(webhooks_hook.c.id)
)


def queue(tx: Transaction, event: Event, body: Callable[[bool], str]) -> None:
    """Queues a delivery for each hook of the enterprise that subscribes to the event.

    `body` returns the message, with personal data if its argument is True. A second call with the same event queues
    nothing.
    """
    for row in tx.all(_ENABLED_HOOKS, {"enterprise": event.enterprise_id}):
        if wants(event.kind, row["events"], row["personal"]):
            _add(tx, row["id"], event.id, event.kind, body(row["personal"]))


def send_test(tx: Transaction, enterprise_id: str, hook_id: str) -> Delivery:
    """Queues a message of kind "test". Raises `NotFound`; `Conflict` if one is waiting already, or the hook is switched
    off."""
    hook = hook_by_id(tx, enterprise_id, hook_id)
    _refuse_disabled(hook)
    row = webhooks_delivery.c
    waiting = (row.hook_id == hook_id, row.kind == TEST, row.state == "waiting")
    if tx.value(select(func.count()).where(*waiting)):
        raise Conflict("on_its_way", "This message is on its way already.")
    event = Event(id=tx.new_id(), kind=TEST, at=tx.now, enterprise_id=enterprise_id)
    _add(tx, hook.id, event.id, event.kind, body_of(event, {}))
    return _delivery_from(tx.one(select(webhooks_delivery).where(webhooks_delivery.c.event_id == event.id)))


def send_again(tx: Transaction, enterprise_id: str, delivery_id: str) -> Delivery:
    """Queues the same message again, with the same event id. Raises `NotFound`; `Conflict` if it is waiting already, or
    the hook is switched off."""
    delivery = delivery_by_id(tx, enterprise_id, delivery_id)
    _refuse_disabled(hook_by_id(tx, enterprise_id, delivery.hook_id))
    values = {"state": "waiting", "tries": 0, "due_at": tx.now, "finished_at": None}
    statement = update(webhooks_delivery).where(
        webhooks_delivery.c.id == delivery_id, webhooks_delivery.c.state != "waiting"
    )
    row = tx.first(statement.values(values).returning(webhooks_delivery))
    if row is None:
        raise Conflict("on_its_way", "This message is on its way already.")
    enqueue(tx, DELIVER, {"delivery_id": delivery_id})
    return _delivery_from(row)


def delivery_by_id(tx: Transaction, enterprise_id: str, delivery_id: str) -> Delivery:
    """The enterprise's delivery with this id. Raises `NotFound`, also for a delivery of another enterprise."""
    return _delivery_from(_row(tx, enterprise_id, delivery_id))


def message_of(tx: Transaction, enterprise_id: str, delivery_id: str) -> str:
    """The message as it was sent, byte for byte. Raises `NotFound`."""
    return str(_row(tx, enterprise_id, delivery_id)["body"])


def messages_of(tx: Transaction, delivery_ids: Sequence[str]) -> dict[str, str]:
    """The messages of these deliveries, by their ids. The caller has read the ids as those of an enterprise."""
    row = webhooks_delivery.c
    return {sent["id"]: sent["body"] for sent in tx.all(select(row.id, row.body).where(row.id.in_(delivery_ids)))}


def deliveries_of(
    tx: Transaction, enterprise_id: str, hook_id: str, *, state: str = "", after: str = "", limit: int = 50
) -> list[Delivery]:
    """Deliveries of a hook, newest first. `after` is the last id of the previous page. Raises `NotFound`."""
    hook_by_id(tx, enterprise_id, hook_id)
    columns = webhooks_delivery.c
    query = select(webhooks_delivery).where(columns.hook_id == hook_id)
    if state:
        query = query.where(columns.state == state)
    if after:
        query = query.where(columns.id < after)
    return [_delivery_from(row) for row in tx.all(query.order_by(columns.id.desc()).limit(limit))]


def forget_old(tx: Transaction) -> None:
    """Deletes finished deliveries older than `KEPT`, since messages say who ordered what."""
    row = webhooks_delivery.c
    tx.execute(delete(webhooks_delivery).where(row.created_at < tx.now - KEPT, row.state != "waiting"))


def _add(tx: Transaction, hook_id: str, event_id: str, kind: str, body: str) -> None:
    new = {
        "id": tx.new_id(),
        "hook_id": hook_id,
        "event_id": event_id,
        "kind": kind,
        "body": body,
        "state": "waiting",
        "tries": 0,
        "error": "",
        "due_at": tx.now,
        "created_at": tx.now,
    }
    if insert_once(tx, webhooks_delivery, new):
        enqueue(tx, DELIVER, {"delivery_id": new["id"]})


def _refuse_disabled(hook: Hook) -> None:
    if not hook.enabled:
        raise Conflict("hook_off", "This hook is switched off; switch it on first.")


def _row(tx: Transaction, enterprise_id: str, delivery_id: str) -> Row:
    row = tx.first(
        select(webhooks_delivery)
        .join(webhooks_hook, webhooks_hook.c.id == webhooks_delivery.c.hook_id)
        .where(webhooks_delivery.c.id == delivery_id, _is_of(enterprise_id))
    )
    if row is None:
        raise NotFound("no_delivery", "There is no such message.")
    return row


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return webhooks_hook.c.enterprise_id == enterprise_id


def _delivery_from(row: Row) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__dataclass_fields__})


# Export and erasure of messages about a person, found by a search in their text since no key leads to the person.


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
