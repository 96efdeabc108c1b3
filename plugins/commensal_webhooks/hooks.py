"""Hooks: the addresses to which an enterprise has its events sent."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypedDict, Unpack, get_args

from sqlalchemy import ColumnElement, delete, func, insert, select

from commensal import Conflict, Instance, Invalid, Row, Transaction, edit_row, enabled_plugins, url_problem

from .signing import format_secret
from .tables import webhooks_delivery, webhooks_hook

PLUGIN = "webhooks"
EventKind = Literal[
    "order_placed",
    "order_changed",
    "order_cancelled",
    "order_fulfilled",
    "order_paid",
    "payment_received",
    "payment_refunded",
    "payment_failed",
    "sale_planned",
    "sale_cancelled",
    "sale_opened",
    "sale_completed",
    "stock_changed",
    "stock_low",
    "sold_out",
    "customer_created",
    "product_changed",
    "notice",
]
KINDS: tuple[str, ...] = get_args(EventKind)
NOTICE = "notice"  # a short message that a customer wants; only to hooks that name it, and with customers
MOST_HOOKS = 20  # of one enterprise
OLD_SECRET = timedelta(hours=24)  # for so long the old secret signs beside the new one


@dataclass(frozen=True, kw_only=True)
class Hook:
    """An address for messages. The secret is not shown again.

    events:      subscribed kinds; empty: every kind but notices, also those of later versions
    personal:    messages contain personal data of customers
    off_because: why the instance switched it off: `gone` (it answered 410) or `failing` (for days)
    failures:    failed tries since the last success
    held_until:  nothing is sent before, because the hook fails
    """

    id: str
    url: str
    events: Sequence[str]
    personal: bool
    enabled: bool
    off_because: str
    failures: int
    failing_since: datetime | None
    held_until: datetime | None
    created_at: datetime
    version: int

    def wants(self, kind: str) -> bool:
        """Whether it subscribes to events of this kind."""
        return wants(kind, self.events, self.personal)


def wants(kind: str, events: Sequence[str], personal: bool) -> bool:
    """Whether a hook with these `events`, which is told who the customers are if `personal`, is to get the kind.

    A notice is meant for one customer, who has agreed that it is sent: a hook for everything does not get it.
    """
    return kind in events and personal if kind == NOTICE else not events or kind in events


@dataclass(frozen=True, kw_only=True)
class HookWithSecret:
    """A hook with its new secret, which is shown only once."""

    hook: Hook
    secret: str


class HookChanges(TypedDict, total=False):
    url: str
    events: Sequence[str]
    personal: bool
    enabled: bool


def add_hook(
    tx: Transaction,
    instance: Instance,
    enterprise_id: str,
    *,
    url: str,
    events: Sequence[str] = (),
    personal: bool = False,
) -> HookWithSecret:
    """Adds a hook. Raises `Invalid` for an unusable address; `Conflict` if the plugin is off, or there are too many."""
    _refuse_url(instance, url)
    if PLUGIN not in enabled_plugins(tx, enterprise_id):
        raise Conflict("plugin_off", "Switch the plugin on for this enterprise first; nothing would be sent.")
    count = select(func.count()).where(webhooks_hook.c.enterprise_id == enterprise_id)
    if tx.value(count) >= MOST_HOOKS:
        raise Conflict("too_many_hooks", "There are {most} hooks already; remove one first.", most=MOST_HOOKS)
    row: Row = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "url": url,
        "events": _sorted(events),
        "personal": personal,
        "secret": _new_secret(tx),
        "enabled": True,
        **_NO_FAILURES,
        "created_at": tx.now,
        "version": 1,
    }
    tx.execute(insert(webhooks_hook).values(row))
    return HookWithSecret(hook=hook_by_id(tx, enterprise_id, row["id"]), secret=row["secret"])


def change_hook(
    tx: Transaction, instance: Instance, enterprise_id: str, hook_id: str, version: int, **changes: Unpack[HookChanges]
) -> Hook:
    """Changes a hook. Switching it on or changing its address resets its failures.

    Raises `Invalid`, `NotFound`, `Stale`.
    """
    values: dict[str, object] = dict(changes)
    if "url" in changes:
        _refuse_url(instance, changes["url"])
    if "events" in changes:
        values["events"] = _sorted(changes["events"])
    if "url" in changes or changes.get("enabled"):
        values |= _NO_FAILURES
    return _hook_from(edit_row(tx, webhooks_hook, *_is_own(enterprise_id, hook_id), version=version, values=values))


def new_secret(tx: Transaction, enterprise_id: str, hook_id: str, version: int) -> HookWithSecret:
    """Gives a hook a new secret. The old one signs messages too for `OLD_SECRET`. Raises `NotFound`, `Stale`."""
    values = {"secret": _new_secret(tx), "old_secret": webhooks_hook.c.secret, "old_until": tx.now + OLD_SECRET}
    row = edit_row(tx, webhooks_hook, *_is_own(enterprise_id, hook_id), version=version, values=values)
    return HookWithSecret(hook=_hook_from(row), secret=row["secret"])


def remove_hook(tx: Transaction, enterprise_id: str, hook_id: str) -> None:
    """Removes a hook with its deliveries; waiting ones are not sent. Raises `NotFound`."""
    tx.one(
        select(webhooks_hook.c.id).where(*_is_own(enterprise_id, hook_id)).with_for_update()
    )  # no new ones meanwhile
    tx.execute(delete(webhooks_delivery).where(webhooks_delivery.c.hook_id == hook_id))
    tx.execute(delete(webhooks_hook).where(*_is_own(enterprise_id, hook_id)))


def hook_by_id(tx: Transaction, enterprise_id: str, hook_id: str) -> Hook:
    """The enterprise's hook with this id. Raises `NotFound`, also for a hook of another enterprise."""
    return _hook_from(tx.one(select(webhooks_hook).where(*_is_own(enterprise_id, hook_id))))


def hooks_of(tx: Transaction, enterprise_id: str) -> list[Hook]:
    """All hooks of the enterprise; at most `MOST_HOOKS`."""
    query = select(webhooks_hook).where(webhooks_hook.c.enterprise_id == enterprise_id)
    return [_hook_from(row) for row in tx.all(query.order_by(webhooks_hook.c.id))]


_NO_FAILURES = {"off_because": "", "failures": 0, "failing_since": None, "held_until": None}


def _is_own(enterprise_id: str, hook_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return webhooks_hook.c.id == hook_id, webhooks_hook.c.enterprise_id == enterprise_id


def _refuse_url(instance: Instance, url: str) -> None:
    problem = url_problem(instance, url, "/url")
    if problem is not None:
        raise Invalid([problem])


def _new_secret(tx: Transaction) -> str:
    """A secret of 256 bits."""
    return format_secret(base64.urlsafe_b64decode(f"{tx.ids.secret()}="))


def _sorted(events: Sequence[str]) -> list[str]:
    return [kind for kind in KINDS if kind in events]


def _hook_from(row: Row) -> Hook:
    return Hook(**{name: row[name] for name in Hook.__dataclass_fields__})
