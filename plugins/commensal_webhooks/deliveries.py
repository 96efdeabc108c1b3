"""Deliveries: one message for one address, from the event to an answer, or until it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, literal, select, update

from commensal import Conflict, Event, Flag, NotFound, Row, Transaction, insert_once, promise

from .data import body_of
from .hooks import Hook, hook_by_id
from .tables import webhooks_delivery, webhooks_hook

DELIVER = "webhooks.deliver"  # the kind of job; its handler is `deliver`
KEPT = timedelta(days=30)  # so long they are listed, and can be sent again
TEST = "test"  # the kind of a message that says nothing


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message on its way, or at its end.

    state:  waiting; delivered; parked: given up after its last try; dropped: the hook was switched off before
    tries:  of this round; "send again" begins a new one
    status: of the last answer (HTTP); None: there was none
    error:  what was wrong with the last try
    due_at: of the next try
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
    """A delivery for each hook of the enterprise that wants the event. `body` gives the message, with or without what
    is personal. A second call with the same event queues nothing."""
    for row in tx.all(_ENABLED_HOOKS, {"enterprise": event.enterprise_id}):
        if not row["events"] or event.kind in row["events"]:
            _add(tx, row["id"], event.id, event.kind, body(row["personal"]))


def send_test(tx: Transaction, enterprise_id: str, hook_id: str) -> Delivery:
    """A message of kind "test", whatever events the hook wants. Raises `NotFound`, `Conflict` for one that is off."""
    hook = hook_by_id(tx, enterprise_id, hook_id)
    _refuse_off(hook)
    event = Event(id=tx.new_id(), kind=TEST, at=tx.now, enterprise_id=enterprise_id)
    _add(tx, hook.id, event.id, event.kind, body_of(event, {}))
    return _delivery(tx.one(select(webhooks_delivery).where(webhooks_delivery.c.event_id == event.id)))


def send_again(tx: Transaction, enterprise_id: str, delivery_id: str) -> Delivery:
    """The same message, with the same event id. Raises `NotFound`; `Conflict` where it is on its way, or the hook is
    off."""
    found = delivery_by_id(tx, enterprise_id, delivery_id)
    _refuse_off(hook_by_id(tx, enterprise_id, found.hook_id))
    anew = {"state": "waiting", "tries": 0, "due_at": tx.now, "finished_at": None}
    again = update(webhooks_delivery).where(
        webhooks_delivery.c.id == delivery_id, webhooks_delivery.c.state != "waiting"
    )
    row = tx.first(again.values(anew).returning(webhooks_delivery))
    if row is None:
        raise Conflict("on_its_way", "This message is on its way already.")
    promise(tx, DELIVER, {"delivery_id": delivery_id})
    return _delivery(row)


def delivery_by_id(tx: Transaction, enterprise_id: str, delivery_id: str) -> Delivery:
    """Raises `NotFound`, for one of another enterprise too."""
    return _delivery(_row(tx, enterprise_id, delivery_id))


def message_of(tx: Transaction, enterprise_id: str, delivery_id: str) -> str:
    """What was sent, byte for byte. Raises `NotFound`."""
    return str(_row(tx, enterprise_id, delivery_id)["body"])


def deliveries_of(
    tx: Transaction, enterprise_id: str, hook_id: str, *, state: str = "", after: str = "", limit: int = 50
) -> list[Delivery]:
    """Of one hook, the newest first. `after` is the last id of the page before. Raises `NotFound`."""
    hook_by_id(tx, enterprise_id, hook_id)
    row = webhooks_delivery.c
    found = select(webhooks_delivery).where(row.hook_id == hook_id)
    if state:
        found = found.where(row.state == state)
    if after:
        found = found.where(row.id < after)
    return [_delivery(one) for one in tx.all(found.order_by(row.id.desc()).limit(limit))]


def forget_old(tx: Transaction) -> None:
    """Deletes what has come to its end and is older than `KEPT`: messages say who has ordered what."""
    row = webhooks_delivery.c
    tx.execute(delete(webhooks_delivery).where(row.created_at < tx.now - KEPT, row.state != "waiting"))


def _add(tx: Transaction, hook_id: str, event_id: str, kind: str, body: str) -> None:
    new = {
        "id": tx.new_id(), "hook_id": hook_id, "event_id": event_id, "kind": kind, "body": body, "state": "waiting",
        "tries": 0, "error": "", "due_at": tx.now, "created_at": tx.now,
    }  # fmt: skip
    if insert_once(tx, webhooks_delivery, new):
        promise(tx, DELIVER, {"delivery_id": new["id"]})


def _refuse_off(hook: Hook) -> None:
    if not hook.enabled:
        raise Conflict("hook_off", "This hook is switched off; switch it on first.")


def _row(tx: Transaction, enterprise_id: str, delivery_id: str) -> Row:
    found = tx.first(
        select(webhooks_delivery)
        .join(webhooks_hook, webhooks_hook.c.id == webhooks_delivery.c.hook_id)
        .where(webhooks_delivery.c.id == delivery_id, _of(enterprise_id))
    )
    if found is None:
        raise NotFound("no_delivery", "There is no such message.")
    return found


def _of(enterprise_id: str) -> ColumnElement[bool]:
    return webhooks_hook.c.enterprise_id == enterprise_id


def _delivery(row: Row) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__dataclass_fields__})
