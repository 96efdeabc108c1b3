"""Prices of one product for groups of customers, and which groups alone see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import (
    Invalid,
    NotFound,
    Problem,
    SuppliedProduct,
    Transaction,
    list_categories,
    price_problem,
    read_amount,
)
from commensal.catalogs import CatalogItem, change_item, items_by_id, listings_of, remove_price, set_price
from commensal.enterprises import CustomerCategory
from commensal.pages import Visit, any_field, on_refusal
from commensal.parts.product_lists import PriceSlip, is_slip
from commensal.products import products_by_id

from ..frame.desk import Desk, open_desk
from ..frame.render import amount_in_field, show
from .assortment import (
    confirmation_of,
    confirmed,
    count_at_other_prices,
    orders_at_old_price,
    price_for_everybody,
    prices_by_group,
)

_PRICE, _SHOWN, _WAS = "price/", "shown/", "was/"  # and the ids of an item and, of a price or a tick, of a group


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to change of one item. Prices are minor units; None: the group pays what everybody pays.

    shown_to: the groups that alone see it, none: everybody does; None: as it is
    """

    item: CatalogItem
    prices: Mapping[str, int | None]
    shown_to: frozenset[str] | None


def group_prices_page(visit: Visit, slips: Sequence[PriceSlip] = ()) -> Response:
    with visit.read() as tx:
        desk, product, items = _of_path(tx, visit)
        groups = list_categories(tx, desk.enterprise.id)
        keeping = orders_at_old_price(tx, desk, slips) if slips else 0
    now, typed = _fields_now(items, groups, desk.enterprise.currency, visit.language), _typed(visit)
    return show(
        visit,
        desk,
        "group_prices",
        at="products",
        product=product,
        items=items,
        groups=groups,
        now=now,
        typed=typed or now,
        everybody=price_for_everybody,
        ticked={name for name in typed if name.startswith(_SHOWN)} if typed else _ticked_now(items),
        names={f"{_PRICE}{item.id}/{group.id}": group.name for item in items for group in groups},
        slips=slips,
        slips_confirmed_by=confirmation_of(slips),
        keeping=keeping,
        saved="saved" in visit.query,
        priced=visit.query.get("priced", ""),
    )


def _of_path(tx: Transaction, visit: Visit) -> tuple[Desk, SuppliedProduct, list[CatalogItem]]:
    """The product of the path with the enterprise's items of it. Raises `NotFound` for one that it does not list."""
    desk = open_desk(tx, visit, "catalogs:write")
    product_id = visit.path["product"]
    item_ids = listings_of(tx, desk.enterprise.id, [product_id]).get(product_id)
    if not item_ids:
        raise NotFound("no_product", "There is no such product.")
    return desk, products_by_id(tx, [product_id])[product_id], items_by_id(tx, desk.enterprise.id, item_ids)


def _fields_now(
    items: Sequence[CatalogItem], groups: Sequence[CustomerCategory], currency: str, language: str
) -> dict[str, str]:
    """What the fields for prices show, and by the name of each item's ticks the groups that are ticked."""
    fields = {f"{_SHOWN}{item.id}": ",".join(item.shown_to) for item in items}
    for item in items:
        offers = prices_by_group(item)
        for group in groups:
            price = offers[group.id].price if group.id in offers else None
            text = "" if price is None else amount_in_field(price, currency, language)
            fields[f"{_PRICE}{item.id}/{group.id}"] = text
    return fields


def _ticked_now(items: Sequence[CatalogItem]) -> set[str]:
    return {f"{_SHOWN}{item.id}/{group_id}" for item in items for group_id in item.shown_to}


# ------------------------------------------------------------------------------------------------ saving


def _typed(visit: Visit) -> dict[str, str]:
    return {name: value.strip() for name, value in visit.form.items() if name.startswith((_PRICE, _SHOWN))}


@on_refusal(group_prices_page, any_field)
def post_group_prices(visit: Visit) -> Response:
    """Saves what was changed, all or nothing; a change by somebody else stands at its field and is not overwritten."""
    with visit.write() as tx, tx.attempt() as attempt:
        desk, product, items = _of_path(tx, visit)
        groups = list_categories(tx, desk.enterprise.id)
        changes = _read(visit, _typed(visit), items, groups, desk.enterprise.currency)
        slips = [slip for change in changes for slip in _slips(change, product)]
        if confirmed(visit, slips):
            for change in changes:
                _save(tx, desk, change)
            priced = count_at_other_prices(tx, desk, [change.item.id for change in changes if change.prices])
        else:
            attempt.rollback()
    if not confirmed(visit, slips):
        return group_prices_page(visit, slips)
    return visit.redirect(f"{desk.address}/products/{product.id}/groups?saved=1{f'&priced={priced}' if priced else ''}")


def _read(
    visit: Visit,
    typed: Mapping[str, str],
    items: Sequence[CatalogItem],
    groups: Sequence[CustomerCategory],
    currency: str,
) -> list[Change]:
    """What is to change. Raises `Invalid` with every mistake, and for what is no longer as the page has shown it."""
    now = _fields_now(items, groups, currency, visit.language)
    names = {group.id: group.name for group in groups}
    problems: list[Problem] = []
    changes = []
    for item in items:
        prices: dict[str, int | None] = {}
        for group_id in names:
            field = f"{_PRICE}{item.id}/{group_id}"
            was = visit.form.get(f"{_WAS}{field}", "")
            if typed.get(field, was) != was:
                prices[group_id] = _price(typed[field], field, currency, problems)
                problems += _changed_meanwhile(field, was, now[field], now[field])
        field = f"{_SHOWN}{item.id}"
        was, ticked = visit.form.get(f"{_WAS}{field}", ""), _ticks(typed, field, names)
        if changed := ticked != frozenset(was.split(",") if was else ()):
            who = ", ".join(names[group_id] for group_id in item.shown_to if group_id in names)
            problems += _changed_meanwhile(field, was, now[field], who)
        changes.append(Change(item=item, prices=prices, shown_to=ticked if changed else None))
    if problems:
        raise Invalid(problems)
    return changes


def _price(text: str, field: str, currency: str, problems: list[Problem]) -> int | None:
    """The price that was typed, None for an empty field. Adds a mistake to `problems`."""
    if not text:
        return None
    price = read_amount(text, currency)
    if isinstance(price, Problem):
        problems.append(Problem(price.code, price.text, f"/{field}", price.values))
        return None
    if problem := price_problem(price, f"/{field}"):
        problems.append(problem)
    return price


def _ticks(typed: Mapping[str, str], field: str, groups: Collection[str]) -> frozenset[str]:
    return frozenset(group_id for group_id in groups if f"{field}/{group_id}" in typed)


def _changed_meanwhile(field: str, was: str, now: str, shown: str) -> list[Problem]:
    if now == was:
        return []
    if not now:
        text = "Somebody has taken this out meanwhile. Save again if yours is right."
        return [Problem("changed_meanwhile", text, f"/{field}")]
    text = "Somebody has changed this to {now} meanwhile. Save again if yours is right."
    return [Problem("changed_meanwhile", text, f"/{field}", {"now": shown})]


def _slips(change: Change, product: SuppliedProduct) -> list[PriceSlip]:
    """The new prices that look like slips beside what the group has paid, or else everybody."""
    item, offers, slips = change.item, prices_by_group(change.item), []
    for group_id, price in change.prices.items():
        before = offers[group_id].price if group_id in offers else price_for_everybody(item)
        if price is not None and is_slip(before, price):
            slips.append(PriceSlip(item_id=item.id, name=item.name or product.name, before=before, after=price))
    return slips


def _save(tx: Transaction, desk: Desk, change: Change) -> None:
    """Raises `Stale` if one of them has changed since this transaction has read it."""
    item, offers = change.item, prices_by_group(change.item)
    for group_id, price in change.prices.items():
        version = offers[group_id].version if group_id in offers else 0
        if price is not None:
            set_price(tx, desk.enterprise.id, item.id, price, category_id=group_id, version=version)
        elif version:
            remove_price(tx, desk.enterprise.id, item.id, category_id=group_id, version=version)
    if change.shown_to is not None:
        change_item(tx, desk.enterprise.id, item.id, item.version, shown_to=sorted(change.shown_to))
