"""The job that delivers a message: sends it and records the outcome.

No transaction is open during the request. A failed message is retried by a new job after growing delays. A hook that
fails is paused for a while, then a single message probes it while the others wait: so a dead address costs the instance
one timeout an hour instead of one for each message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy import func, literal, or_, select, update

from commensal import (
    Flag,
    Instance,
    Job,
    Row,
    Time,
    Transaction,
    clock_in_doubt,
    enabled_plugins,
    enqueue,
    http_client,
    mail_enterprise,
)

from .deliveries import DELIVER
from .hooks import PLUGIN
from .signing import headers
from .tables import webhooks_delivery, webhooks_hook

SECONDS = 15.0  # for an answer; the standard recommends 15 to 30
LARGEST = 64 * 1024  # bytes of an answer, whose content is ignored
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# The delay after each failed try; together about a day.
DELAYS = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 8 * _HOUR, 9 * _HOUR)
LONGEST_HOLD = _HOUR
_TRIES_FOR = _MINUTE  # longer than `SECONDS`: for so long a probe of a failing hook excludes others
LONGEST_WAIT = timedelta(days=1)  # the most that Retry-After can demand
GIVEN_UP = timedelta(days=3)  # a hook that fails for so long without a success is switched off
_GONE, _TOO_MANY, _UNAVAILABLE = 410, 429, 503
_SECRETS = (webhooks_hook.c.secret, webhooks_hook.c.old_secret, webhooks_hook.c.old_until)


@dataclass(frozen=True)
class Message:
    """A message with its address and signed headers, ready to be sent."""

    delivery_id: str
    hook_id: str
    enterprise_id: str
    url: str
    body: bytes
    headers: dict[str, str]
    tries: int


@dataclass(frozen=True)
class DeliveryResult:
    """The outcome of a try. `wait`: the delay before the next try that the other side demands."""

    status: int | None
    error: str
    wait: timedelta = timedelta(0)


def deliver(instance: Instance, job: Job) -> None:
    """Runs the job. If the job runs twice, it may send the message twice with the same id, but not once delivered."""
    message = instance.store.transact(lambda tx: _prepare(tx, job.payload["delivery_id"]))
    if message is not None:
        outcome = _send(instance, message)
        instance.store.transact(lambda tx: _record(tx, message, outcome))


def _prepare(tx: Transaction, delivery_id: str) -> Message | None:
    hook, row = webhooks_hook.c, webhooks_delivery.c
    delivery = tx.first(
        select(webhooks_delivery, hook.enterprise_id, hook.url, hook.enabled, hook.failures, hook.held_until, *_SECRETS)
        .join(webhooks_hook, hook.id == row.hook_id)
        .where(row.id == delivery_id, row.state == "waiting")
    )
    if delivery is None:
        return None
    if not delivery["enabled"] or PLUGIN not in enabled_plugins(tx, delivery["enterprise_id"]):
        _update_waiting(tx, delivery_id, {"state": "dropped", "finished_at": tx.now})
        return None
    if delivery["failures"] and not _claim_try(tx, delivery["hook_id"]):
        _reschedule(tx, delivery_id, max(delivery["held_until"], tx.now + _TRIES_FOR))
        return None
    return _message(delivery, tx.now)


def _claim_try(tx: Transaction, hook_id: str) -> bool:
    """Claims the next try of a failing hook; True for one message only, however many workers have one."""
    hook = webhooks_hook.c
    is_free = or_(hook.held_until.is_(None), hook.held_until <= tx.now)
    statement = update(webhooks_hook).where(hook.id == hook_id, is_free)
    return tx.execute(statement.values(held_until=tx.now + _TRIES_FOR)).rowcount == 1


def _message(row: Row, now: datetime) -> Message:
    secrets = [row["secret"]]
    if row["old_until"] is not None and now < row["old_until"]:
        secrets.append(row["old_secret"])
    body = row["body"].encode()
    return Message(
        row["id"],
        row["hook_id"],
        row["enterprise_id"],
        row["url"],
        body,
        {"content-type": "application/json", **headers(row["event_id"], now, body, secrets)},
        row["tries"] + 1,
    )


def _send(instance: Instance, message: Message) -> DeliveryResult:
    try:
        with http_client(instance, seconds=SECONDS, size=LARGEST) as client:
            answer = client.post(message.url, content=message.body, headers=message.headers)
    except httpx.HTTPError as error:
        return DeliveryResult(None, f"{type(error).__name__}: {error}"[:500])
    if answer.is_success:
        return DeliveryResult(answer.status_code, "")
    return DeliveryResult(answer.status_code, f"it answered {answer.status_code}", _retry_after(answer))


def _retry_after(answer: httpx.Response) -> timedelta:
    """Retry-After in seconds (RFC 9110, 10.2.3); ignores dates, which few servers send."""
    seconds = answer.headers.get("retry-after", "")
    if answer.status_code not in (_TOO_MANY, _UNAVAILABLE) or not seconds.isdecimal() or len(seconds) > 9:
        return timedelta(0)
    return min(timedelta(seconds=int(seconds)), LONGEST_WAIT)


def _record(tx: Transaction, message: Message, outcome: DeliveryResult) -> None:
    values = {"tries": message.tries, "status": outcome.status, "error": outcome.error}
    if not outcome.error:
        _update_waiting(tx, message.delivery_id, {**values, "state": "delivered", "finished_at": tx.now})
        statement = update(webhooks_hook).where(webhooks_hook.c.id == message.hook_id, webhooks_hook.c.failures > 0)
        tx.execute(statement.values(failures=0, failing_since=None, held_until=None))
        return
    if message.tries > len(DELAYS):
        _update_waiting(tx, message.delivery_id, {**values, "state": "parked", "finished_at": tx.now})
    else:
        _update_waiting(tx, message.delivery_id, values)
        _reschedule(tx, message.delivery_id, tx.now + max(DELAYS[message.tries - 1], outcome.wait))
    _record_failure(tx, message, outcome)


def _record_failure(tx: Transaction, message: Message, outcome: DeliveryResult) -> None:
    hook = webhooks_hook.c
    statement = update(webhooks_hook).where(hook.id == message.hook_id)
    since = func.coalesce(hook.failing_since, literal(tx.now, Time))
    row = tx.first(statement.values(failures=hook.failures + 1, failing_since=since).returning(webhooks_hook))
    if row is None:  # the hook was removed meanwhile
        return
    hold = min(_MINUTE * 2 ** min(row["failures"] - 1, 10), LONGEST_HOLD)
    tx.execute(statement.values(held_until=tx.now + max(hold, outcome.wait)))
    if outcome.status == _GONE:
        _switch_off(tx, message, "gone", outcome)
    elif row["failing_since"] <= tx.now - GIVEN_UP and not clock_in_doubt(tx):
        _switch_off(tx, message, "failing", outcome)


def _switch_off(tx: Transaction, message: Message, because: str, outcome: DeliveryResult) -> None:
    """Switches the hook off and mails the enterprise, both once."""
    hook = webhooks_hook.c
    statement = update(webhooks_hook).where(hook.id == message.hook_id, hook.enabled == literal(True, Flag))
    if tx.execute(statement.values(enabled=False, off_because=because, version=hook.version + 1)).rowcount == 1:
        path = f"office/{message.enterprise_id}/settings/webhooks"
        values = {"url": message.url, "because": because, "error": outcome.error, "path": path}
        mail_enterprise(tx, message.enterprise_id, "webhooks_off", values)


def _reschedule(tx: Transaction, delivery_id: str, at: datetime) -> None:
    _update_waiting(tx, delivery_id, {"due_at": at})
    enqueue(tx, DELIVER, {"delivery_id": delivery_id}, due_at=at)


def _update_waiting(tx: Transaction, delivery_id: str, values: Row) -> None:
    """Updates a delivery that is still waiting; leaves finished ones alone."""
    row = webhooks_delivery.c
    tx.execute(update(webhooks_delivery).where(row.id == delivery_id, row.state == "waiting").values(values))
