"""Hooks: the addresses at which an enterprise wants its events to be told."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, Unpack, get_args

from sqlalchemy import ColumnElement, delete, func, insert, select

from commensal import Conflict, Instance, Invalid, Row, Transaction, edit_row, enabled_plugins, url_problem

from .signing import written
from .tables import webhooks_delivery, webhooks_hook

PLUGIN = "webhooks"
Kind = Literal[
    "order_placed", "order_changed", "order_cancelled", "order_fulfilled", "payment_received", "payment_refunded",
    "sale_opened", "sale_completed", "stock_changed",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
MOST_HOOKS = 20  # of one enterprise
OLD_SECRET = timedelta(hours=24)  # signs beside the new one


@dataclass(frozen=True, kw_only=True)
class Hook:
    """An address. The secret is not shown again.

    events:      kinds that it wants; none: every kind, also those that later versions bring
    personal:    messages say who the customers are
    off_because: why it was switched off by us: `gone` (it answered 410) or `failing` (for days)
    failures:    tries since the last one that went well
    held_until:  nothing is sent there before, because it fails
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


@dataclass(frozen=True, kw_only=True)
class HookWithSecret:
    """A hook just made, or given a new secret: shown once."""

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
    """Raises `Invalid` for an address that cannot be used; `Conflict` where the plugin is off, or for very many."""
    _refuse_url(instance, url)
    if PLUGIN not in enabled_plugins(tx, enterprise_id):
        raise Conflict("plugin_off", "Switch the plugin on for this enterprise first; nothing would be sent.")
    theirs = select(func.count()).where(webhooks_hook.c.enterprise_id == enterprise_id)
    if tx.value(theirs) >= MOST_HOOKS:
        raise Conflict("too_many_hooks", "There are {most} hooks already; remove one first.", most=MOST_HOOKS)
    row: dict[str, Any] = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "url": url,
        "events": _sorted(events),
        "personal": personal,
        "secret": _new_secret(tx),
        "enabled": True,
        **_WELL,
        "created_at": tx.now,
        "version": 1,
    }
    tx.execute(insert(webhooks_hook).values(row))
    return HookWithSecret(hook=hook_by_id(tx, enterprise_id, row["id"]), secret=row["secret"])


def change_hook(
    tx: Transaction, instance: Instance, enterprise_id: str, hook_id: str, version: int, **changes: Unpack[HookChanges]
) -> Hook:
    """Switched on again, or with another address, it begins anew. Raises `Invalid`, `NotFound`, `Stale`."""
    values: dict[str, Any] = dict(changes)
    if "url" in changes:
        _refuse_url(instance, changes["url"])
    if "events" in changes:
        values["events"] = _sorted(changes["events"])
    if "url" in changes or changes.get("enabled"):
        values |= _WELL
    return _hook(edit_row(tx, webhooks_hook, *_theirs(enterprise_id, hook_id), version=version, values=values))


def new_secret(tx: Transaction, enterprise_id: str, hook_id: str, version: int) -> HookWithSecret:
    """For `OLD_SECRET`, messages are signed with the old one too. Raises `NotFound`, `Stale`."""
    values = {
        "secret": _new_secret(tx),
        "old_secret": webhooks_hook.c.secret,
        "old_until": tx.now + OLD_SECRET,
    }
    row = edit_row(tx, webhooks_hook, *_theirs(enterprise_id, hook_id), version=version, values=values)
    return HookWithSecret(hook=_hook(row), secret=row["secret"])


def remove_hook(tx: Transaction, enterprise_id: str, hook_id: str) -> None:
    """With its deliveries; what was not sent yet will not be. Raises `NotFound`."""
    tx.one(
        select(webhooks_hook.c.id).where(*_theirs(enterprise_id, hook_id)).with_for_update()
    )  # no new ones meanwhile
    tx.execute(delete(webhooks_delivery).where(webhooks_delivery.c.hook_id == hook_id))
    tx.execute(delete(webhooks_hook).where(*_theirs(enterprise_id, hook_id)))


def hook_by_id(tx: Transaction, enterprise_id: str, hook_id: str) -> Hook:
    """Raises `NotFound`, for a hook of another enterprise too."""
    return _hook(tx.one(select(webhooks_hook).where(*_theirs(enterprise_id, hook_id))))


def hooks_of(tx: Transaction, enterprise_id: str) -> list[Hook]:
    """All of them; there are few."""
    mine = select(webhooks_hook).where(webhooks_hook.c.enterprise_id == enterprise_id)
    return [_hook(row) for row in tx.all(mine.order_by(webhooks_hook.c.id))]


_WELL = {"off_because": "", "failures": 0, "failing_since": None, "held_until": None}


def _theirs(enterprise_id: str, hook_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return webhooks_hook.c.id == hook_id, webhooks_hook.c.enterprise_id == enterprise_id


def _refuse_url(instance: Instance, url: str) -> None:
    problem = url_problem(instance, url, "/url")
    if problem is not None:
        raise Invalid([problem])


def _new_secret(tx: Transaction) -> str:
    """256 bits."""
    return written(base64.urlsafe_b64decode(f"{tx.ids.secret()}="))


def _sorted(events: Sequence[str]) -> list[str]:
    return [kind for kind in KINDS if kind in events]


def _hook(row: Row) -> Hook:
    return Hook(**{name: row[name] for name in Hook.__dataclass_fields__})
