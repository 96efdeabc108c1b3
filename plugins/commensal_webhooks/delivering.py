"""The job that delivers one message: sends it, and notes what came of it.

Nothing of the database is held while the other side thinks. A message that failed comes back by a new job with growing
delay. An address that fails is left in peace for a while, then one message tries whether it is well again: the others
wait, so that one dead address costs the instance one time limit an hour, and not one for each message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, literal, or_, select, update

from commensal import (
    Flag,
    Instance,
    Job,
    Row,
    Time,
    Transaction,
    enabled_plugins,
    http_client,
    mail_enterprise,
    promise,
)

from .deliveries import DELIVER
from .hooks import PLUGIN
from .signing import headers
from .tables import webhooks_delivery, webhooks_hook

SECONDS = 15.0  # for an answer; the standard recommends 15 to 30
LARGEST = 64 * 1024  # bytes of an answer, which nobody reads
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# After each failed try; together about a day.
DELAYS = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 8 * _HOUR, 9 * _HOUR)
LONGEST_HOLD = _HOUR
_TRIES_FOR = _MINUTE  # longer than `SECONDS`: until then whoever tries an address that has failed does it alone
LONGEST_WAIT = timedelta(days=1)  # that an answer may ask for
GIVEN_UP = timedelta(days=3)  # of failing, without one success
_GONE, _TOO_MANY, _UNAVAILABLE = 410, 429, 503
_SECRETS = (webhooks_hook.c.secret, webhooks_hook.c.old_secret, webhooks_hook.c.old_until)


@dataclass(frozen=True)
class Message:
    """What is to be sent where, as it stands when it is sent."""

    delivery_id: str
    hook_id: str
    enterprise_id: str
    url: str
    body: bytes
    headers: dict[str, str]
    tries: int


@dataclass(frozen=True)
class Outcome:
    """What came of it. `wait`: what the other side asks for before the next try."""

    status: int | None
    error: str
    wait: timedelta = timedelta(0)


def deliver(instance: Instance, job: Job) -> None:
    """Told twice of the same message, it may send it twice, with the same id; but not after it was delivered."""
    message = instance.store.transact(lambda tx: _begin(tx, job.payload["delivery_id"]))
    if message is not None:
        outcome = _send(instance, message)
        instance.store.transact(lambda tx: _note(tx, message, outcome))


def _begin(tx: Transaction, delivery_id: str) -> Message | None:
    hook, row = webhooks_hook.c, webhooks_delivery.c
    found = tx.first(
        select(webhooks_delivery, hook.enterprise_id, hook.url, hook.enabled, hook.failures, hook.held_until, *_SECRETS)
        .join(webhooks_hook, hook.id == row.hook_id)
        .where(row.id == delivery_id, row.state == "waiting")
    )
    if found is None:
        return None
    if not found["enabled"] or PLUGIN not in enabled_plugins(tx, found["enterprise_id"]):
        _end(tx, delivery_id, {"state": "dropped", "finished_at": tx.now})
        return None
    if found["failures"] and not _may_try(tx, found["hook_id"]):
        _later(tx, delivery_id, max(found["held_until"], tx.now + _TRIES_FOR))
        return None
    return _message(found, tx.now)


def _may_try(tx: Transaction, hook_id: str) -> bool:
    """For the one message, of however many workers have one, that tries an address that has failed."""
    hook = webhooks_hook.c
    held_no_more = or_(hook.held_until.is_(None), hook.held_until <= tx.now)
    trying = update(webhooks_hook).where(hook.id == hook_id, held_no_more)
    return tx.execute(trying.values(held_until=tx.now + _TRIES_FOR)).rowcount == 1


def _message(found: Row, at: datetime) -> Message:
    secrets = [found["secret"]]
    if found["old_until"] is not None and at < found["old_until"]:
        secrets.append(found["old_secret"])
    body = found["body"].encode()
    return Message(
        found["id"], found["hook_id"], found["enterprise_id"], found["url"], body,
        {"content-type": "application/json", **headers(found["event_id"], at, body, secrets)}, found["tries"] + 1,
    )  # fmt: skip


def _send(instance: Instance, message: Message) -> Outcome:
    try:
        with http_client(instance, seconds=SECONDS, size=LARGEST) as client:
            answer = client.post(message.url, content=message.body, headers=message.headers)
    except httpx.HTTPError as error:
        return Outcome(None, f"{type(error).__name__}: {error}"[:500])
    if answer.is_success:
        return Outcome(answer.status_code, "")
    return Outcome(answer.status_code, f"it answered {answer.status_code}", _asked_for(answer))


def _asked_for(answer: httpx.Response) -> timedelta:
    """Retry-After in seconds (RFC 9110, 10.2.3); a date, which few send, is passed over."""
    said = answer.headers.get("retry-after", "")
    if answer.status_code not in (_TOO_MANY, _UNAVAILABLE) or not said.isdecimal() or len(said) > 9:
        return timedelta(0)
    return min(timedelta(seconds=int(said)), LONGEST_WAIT)


def _note(tx: Transaction, message: Message, outcome: Outcome) -> None:
    said = {"tries": message.tries, "status": outcome.status, "error": outcome.error}
    if not outcome.error:
        _end(tx, message.delivery_id, {**said, "state": "delivered", "finished_at": tx.now})
        well = update(webhooks_hook).where(webhooks_hook.c.id == message.hook_id, webhooks_hook.c.failures > 0)
        tx.execute(well.values(failures=0, failing_since=None, held_until=None))
        return
    if message.tries > len(DELAYS):
        _end(tx, message.delivery_id, {**said, "state": "parked", "finished_at": tx.now})
    else:
        _end(tx, message.delivery_id, said)
        _later(tx, message.delivery_id, tx.now + max(DELAYS[message.tries - 1], outcome.wait))
    _failed(tx, message, outcome)


def _failed(tx: Transaction, message: Message, outcome: Outcome) -> None:
    hook = webhooks_hook.c
    failing = update(webhooks_hook).where(hook.id == message.hook_id)
    since = func.coalesce(hook.failing_since, literal(tx.now, Time))
    row = tx.first(failing.values(failures=hook.failures + 1, failing_since=since).returning(webhooks_hook))
    if row is None:  # it was removed meanwhile
        return
    hold = min(_MINUTE * 2 ** min(row["failures"] - 1, 10), LONGEST_HOLD)
    tx.execute(failing.values(held_until=tx.now + max(hold, outcome.wait)))
    if outcome.status == _GONE:
        _switch_off(tx, message, "gone", outcome)
    elif row["failing_since"] <= tx.now - GIVEN_UP:
        _switch_off(tx, message, "failing", outcome)


def _switch_off(tx: Transaction, message: Message, because: str, outcome: Outcome) -> None:
    """Once, and the enterprise is told."""
    hook = webhooks_hook.c
    off = update(webhooks_hook).where(hook.id == message.hook_id, hook.enabled == literal(True, Flag))
    if tx.execute(off.values(enabled=False, off_because=because, version=hook.version + 1)).rowcount == 1:
        said = {"url": message.url, "because": because, "error": outcome.error}
        mail_enterprise(tx, message.enterprise_id, "webhooks_off", said)


def _later(tx: Transaction, delivery_id: str, at: datetime) -> None:
    _end(tx, delivery_id, {"due_at": at})
    promise(tx, DELIVER, {"delivery_id": delivery_id}, due_at=at)


def _end(tx: Transaction, delivery_id: str, values: dict[str, Any]) -> None:
    """Nothing happens to a message that came to its end already."""
    row = webhooks_delivery.c
    tx.execute(update(webhooks_delivery).where(row.id == delivery_id, row.state == "waiting").values(values))
