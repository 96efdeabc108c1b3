"""The goods of one group of customers: those with a price of its own or that it alone sees, and a percentage for all
goods at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zlib import crc32

from starlette.responses import Response

from commensal import Conflict, Invalid, NotFound, Problem, Transaction, format_money, list_categories, price_problem
from commensal.catalogs import items_by_id, items_of_category, listed_names, set_category_prices
from commensal.enterprises import CustomerCategory
from commensal.pages import Visit, on_refusal, with_mistakes
from commensal.parts.supply import PRICE_STEPS

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from .assortment import count_at_other_prices, price_for_everybody, prices_by_group
from .bulk_changes import read_percent, round_to

_AT_ONCE = 200  # goods on a page


@dataclass(frozen=True, kw_only=True)
class GroupPrice:
    """A price of the group that changes, in minor units. `version`: of the one that it has, 0: none.

    before: what the group pays now by a price of its own; after: what it would pay; None: what everybody pays
    """

    item_id: str
    name: str
    quantity: Decimal
    unit: str
    everybody: int
    before: int | None
    after: int | None
    version: int


def group_goods_page(visit: Visit, plan: Sequence[GroupPrice] | None = None) -> Response:
    after = visit.query.get("after", "")
    with visit.read() as tx:
        desk, group = _of_path(tx, visit)
        items = items_of_category(tx, desk.enterprise.id, group.id, after=after, limit=_AT_ONCE + 1)
    shown = items[:_AT_ONCE]
    currency = desk.enterprise.currency
    return show(
        visit,
        desk,
        "group_goods",
        at="customers",
        group=group,
        items=shown,
        further=shown[-1].id if len(items) > len(shown) else "",
        after=after,
        plan=plan,
        shown=_mark_of(plan or ()),
        everybody=price_for_everybody,
        own_price=lambda item: prices_by_group(item).get(group.id),
        steps=[(step, format_money(step, currency, visit.language)) for step in PRICE_STEPS],
        typed={"percent": visit.form.get("percent", ""), "step": visit.form.get("step", "1")},
        done=visit.query.get("done", ""),
        priced=visit.query.get("priced", ""),
    )


def _of_path(tx: Transaction, visit: Visit) -> tuple[Desk, CustomerCategory]:
    desk = open_desk(tx, visit, "catalogs:write")
    for group in list_categories(tx, desk.enterprise.id):
        if group.id == visit.path["category"]:
            return desk, group
    raise NotFound("no_category", "There is no such customer category.")


@on_refusal(group_goods_page, {"percent", "step"})
def post_group_goods(visit: Visit) -> Response:
    """Shows what a percentage for all goods would change; the form of that page changes it, all or nothing."""
    if goes_back(visit):
        return group_goods_page(visit)
    percent, step = _read(visit.form)
    with visit.write() as tx:
        desk, group = _of_path(tx, visit)
        plan = _plan(tx, desk, group, percent, step)
        as_shown = is_sure(visit) and visit.form.get("shown", "") == _mark_of(plan)
        if as_shown:
            prices = {line.item_id: line.after for line in plan}
            seen = {line.item_id: line.version for line in plan if line.version}
            set_category_prices(tx, desk.enterprise.id, group.id, prices, seen)
            priced = count_at_other_prices(tx, desk, prices)
    if is_sure(visit) and not as_shown:
        text = "Somebody has changed prices meanwhile. Look at the new preview, then press again."
        return group_goods_page(with_mistakes(visit, Conflict("changed_meanwhile", text)), plan)
    if not as_shown:
        return group_goods_page(visit, plan)
    return visit.redirect(f"{desk.address}/groups/{group.id}?done={len(plan)}{f'&priced={priced}' if priced else ''}")


def _read(form: Mapping[str, str]) -> tuple[Decimal, int]:
    """The percentage and the minor units to which prices are rounded. Raises `Invalid`."""
    problems: list[Problem] = []
    percent = read_percent(form.get("percent", ""), "/percent", problems)
    if not form.get("percent", "").strip():
        problems.append(Problem("missing", "This must be filled in.", "/percent"))
    steps = {str(step): step for step in PRICE_STEPS}
    if form.get("step", "1") not in steps:
        problems.append(Problem("step", "Choose one of the answers.", "/step"))
    if problems:
        raise Invalid(problems)
    return percent, steps[form.get("step", "1")]


def _plan(tx: Transaction, desk: Desk, group: CustomerCategory, percent: Decimal, step: int) -> list[GroupPrice]:
    """The prices of the group that change, by name: of all goods that have a price for everybody. Raises `Invalid` for
    an impossible price, and if none changes. Four statements, however many goods there are."""
    listed = {each.item_id for each in listed_names(tx, desk.enterprise.id)}
    plan = []
    for item in items_by_id(tx, desk.enterprise.id, listed):
        everybody, own = price_for_everybody(item), prices_by_group(item).get(group.id)
        if everybody is None:
            continue
        before = own.price if own else None
        after = round_to(everybody * (100 + percent) / 100, step) if percent else None
        if after != before:
            plan.append(
                GroupPrice(
                    item_id=item.id,
                    name=item.name or item.product_name,
                    quantity=item.quantity,
                    unit=item.unit,
                    everybody=everybody,
                    before=before,
                    after=after,
                    version=own.version if own else 0,
                )
            )
    impossible = [problem for line in plan if line.after and (problem := price_problem(line.after, "/percent"))]
    if impossible:
        raise Invalid(impossible[:1])
    if not plan:
        raise Invalid([Problem("no_change", "No price changes by this.")])
    return sorted(plan, key=lambda line: (line.name, line.quantity))


def _mark_of(plan: Sequence[GroupPrice]) -> str:
    """What stands in the form that saves a plan, so that no other one is saved than the one that was shown. It tells
    a change by somebody else, and keeps nobody out: whoever sends the form may set these prices anyway."""
    lines = [f"{line.item_id} {line.everybody} {line.version} {line.before} {line.after}" for line in plan]
    return f"{len(lines)}-{crc32(chr(10).join(lines).encode()):08x}"
