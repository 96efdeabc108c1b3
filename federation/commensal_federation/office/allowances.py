"""What partners elsewhere may change by their own word: the month's budget of each, and the form that sets it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from commensal import (
    Amount,
    Enterprise,
    Invalid,
    Problem,
    Stale,
    Transaction,
    change_plugin,
    demand,
    enabled_plugins,
    format_money,
    read_amount,
    read_whole,
    translate,
)
from commensal.enterprises import list_plugins
from commensal.pages import Visit
from commensal.products import products_by_id

from ..allowance.budget import Budget, Draw, allowance_settings, budget_of
from ..catalogue.tables import federation_item
from ..orders.tables import federation_order
from ..runtime import FEDERATION, federation_of

FIELDS = ("allowance_percent", "allowance_month")


@dataclass(frozen=True, kw_only=True)
class ShownDraw:
    """What has happened by itself, in the reader's language: `what`, in minor units, and `of` which sale or goods."""

    what: str
    of: str
    amount: Amount
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ShownBudget:
    budget: Budget
    draws: list[ShownDraw]


def budgets_of(visit: Visit, tx: Transaction, enterprise_id: str, partners: Collection[str]) -> dict[str, ShownBudget]:
    """The budgets of these enterprises elsewhere, by their addresses."""
    federation = federation_of(visit.instance)
    budgets = {iri: budget_of(tx, federation, enterprise_id, iri) for iri in partners}
    names = _names(tx, {_address_in(draw.subject) for budget in budgets.values() for draw in budget.draws})
    return {
        iri: ShownBudget(budget=budget, draws=[_shown(visit, draw, names) for draw in budget.draws])
        for iri, budget in budgets.items()
    }


def _shown(visit: Visit, draw: Draw, names: dict[str, str]) -> ShownDraw:
    words = {
        "price": translate(visit.language, "another price"),
        "weight": translate(visit.language, "another weight"),
        "shortage": translate(visit.language, "less comes"),
        "receipt": translate(visit.language, "less was received"),
    }
    return ShownDraw(what=words[draw.kind], of=names.get(_address_in(draw.subject), ""), amount=draw.amount, at=draw.at)


def _address_in(subject: str) -> str:
    """The address in a subject: a price of an item names what was accepted before, too."""
    return subject.partition("#")[0]


def _names(tx: Transaction, subjects: Collection[str]) -> dict[str, str]:
    """What people call these orders and items, by their addresses; without those that are gone."""
    order, item = federation_order.c, federation_item.c
    if not subjects:
        return {}
    sales = tx.all(select(order.iri, order.session_name).where(order.iri.in_(sorted(subjects))))
    items = tx.all(select(item.iri, item.product_id).where(item.iri.in_(sorted(subjects))))
    products = products_by_id(tx, {row["product_id"] for row in items})
    goods = {row["iri"]: products[row["product_id"]].name for row in items}
    return goods | {row["iri"]: row["session_name"] for row in sales}


def typed_allowance(visit: Visit, tx: Transaction, enterprise: Enterprise) -> dict[str, str]:
    """What the form shows: as typed, else as it is set; and the version of the settings that it changes."""
    settings = allowance_settings(tx, federation_of(visit.instance), enterprise.id)
    amount = format_money(settings.allowance_month, enterprise.currency, visit.language)
    stored = {"allowance_percent": str(settings.allowance_percent), "allowance_month": amount}
    version = next(
        (each.version for each in list_plugins(tx, visit.instance.hooks, enterprise.id) if each.plugin == FEDERATION), 0
    )
    return {**{name: visit.form.get(name, value) for name, value in stored.items()}, "version": str(version)}


def save_allowance(visit: Visit, tx: Transaction, enterprise: Enterprise) -> None:
    """Saves what was typed among the enterprise's other settings. Raises `Invalid` with every mistake, and `Stale`."""
    demand(tx, visit.actor, "plugins:write", enterprise.id)
    typed_percent = visit.form.get("allowance_percent", "").strip().removesuffix("%").strip()
    percent = read_whole(typed_percent, 3)
    amount = read_amount(visit.form.get("allowance_month", ""), enterprise.currency)
    problems = []
    if percent is None or percent > 100:
        problems.append(Problem("percent", "Write a whole number from 0 to 100.", "/allowance_percent"))
    if isinstance(amount, Problem):
        problems.append(Problem(amount.code, amount.text, "/allowance_month", amount.values))
    elif amount < 0:
        problems.append(Problem("negative", "An amount is at least 0.", "/allowance_month"))
    if problems:
        raise Invalid(problems)
    version = read_whole(visit.form.get("version", ""))
    if version is None:
        raise Stale
    values = {**enabled_plugins(tx, enterprise.id).get(FEDERATION, {})}
    values |= {"allowance_percent": percent, "allowance_month": amount}
    change_plugin(tx, visit.instance.hooks, enterprise.id, FEDERATION, version, values)
