"""Whether an enterprise needs a second person where money leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from sqlalchemy import select

from ...base.errors import Conflict
from ...base.money import PaidTo
from ...enterprises.access import MEMBERS, RIGHTS, scopes_of_member
from ...enterprises.plugins import enabled_plugins
from ...enterprises.tables import enterprise_member
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction, insert_or
from .tables import approval_policy

MONEY = "payments:write"  # who agrees holds it
_member, _policy = enterprise_member.c, approval_policy.c


def wants_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """What the enterprise has chosen; yes, unless it has chosen otherwise."""
    chosen = tx.first(select(_policy.second_person).where(_policy.enterprise_id == enterprise_id))
    return chosen is None or bool(chosen["second_person"])


def money_people(tx: Transaction, enterprise_id: str) -> list[str]:
    """The ids of the members who deal with its money, in their order."""
    query = select(_member.person_id, *RIGHTS).select_from(MEMBERS).where(_member.enterprise_id == enterprise_id)
    return [row["person_id"] for row in tx.all(query.order_by(_member.person_id)) if MONEY in scopes_of_member(tx, row)]


def needs_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """Whether an act has to wait for a second person: the enterprise wants it, and there are two to begin with, so that
    nobody who is alone is locked out."""
    return wants_second_person(tx, enterprise_id) and len(money_people(tx, enterprise_id)) > 1


def set_second_person(tx: Transaction, enterprise_id: str, *, asks: bool) -> None:
    """Chooses. To want none is itself an act that needs the second person: see the callers."""
    values = {"second_person": asks}
    row = insert_or(tx, approval_policy).values(enterprise_id=enterprise_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["enterprise_id"], set_=values))


# Settings of plugins that say to which account money goes: another one may need a second person.


def other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what these settings of a plugin change of the account to which money goes: what stands in its fields now,
    and what would. Both are empty where they change nothing of it."""
    shape = hooks.settings_class(plugin)
    if shape is None:
        return {}, {}
    names = [name for name, hint in get_type_hints(shape, include_extras=True).items() if _is_marked(hint)]
    stored = enabled_plugins(tx, enterprise_id).get(plugin, {})
    before = {name: stored.get(name, "") for name in names}
    after = {name: settings.get(name, "") for name in names}
    return ({}, {}) if before == after else (before, after)


def refuse_other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> None:
    """Raises `Conflict` for settings that change that account where it needs a second person."""
    if other_account(tx, hooks, enterprise_id, plugin, settings)[1] and needs_second_person(tx, enterprise_id):
        text = "Two people change the account to which money goes here: ask for it in the office."
        raise Conflict("second_person", text)


def _is_marked(hint: object) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(mark, PaidTo) for mark in get_args(hint)[1:])
