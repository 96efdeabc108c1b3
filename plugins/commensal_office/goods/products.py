"""Products, prices and stock: change twenty prices in two minutes, and know that they are saved, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from starlette.responses import Response

from commensal import (
    PRODUCT_TYPES,
    Invalid,
    PageLine,
    PagePart,
    Problem,
    Refused,
    StockLot,
    Transaction,
    list_categories,
    price_problem,
    read_amount,
    read_decimal,
    search_key,
)
from commensal.catalogs import ListedName, listed_names, set_prices, unlisted_names
from commensal.enterprises import grantors
from commensal.pages import Visit, on_refusal, page_parts
from commensal.parts.distribution import count_orders_with
from commensal.parts.product_lists import PriceSlip
from commensal.stock import change_lot, count_stock, lot_by_id, lots_by_id

from ..frame.desk import Desk, open_desk
from ..frame.render import amount_in_field, number_in_field, page_of, show
from .assortment import (
    CatalogGoods,
    confirmation_of,
    confirmed,
    count_at_other_prices,
    goods_by_item,
    orders_at_old_price,
    prices_by_group,
    slips_of,
    unlisted_goods,
)
from .bulk_changes import BULK, apply_bulk, prices_by_percent, read_bulk, ticked_items

AT_ONCE = 50  # rows on a page
_LONGEST = 100  # characters of a search
PRICE, STOCK, LOW, WAS = "price/", "stock/", "low/", "was/"


@dataclass(frozen=True, kw_only=True)
class Packs:
    """So many whole pieces of a size, `quantity` of `unit` each."""

    pieces: int
    quantity: Decimal
    unit: str


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A size of a product. The first row of a lot has its stock; `sizes` is the number of rows that share it.

    packs:     the stock in pieces of each of these sizes, in the first row of a counted lot
    own_stock: the lot is the enterprise's own and counted, so its stock can be changed here
    own_goods: its picture can be changed here: it is the enterprise's own, or its producer lets it keep their list
    groups:    names of groups with another price, and that price in minor units
    only_for:  names of the groups that alone see it; none: everybody does
    """

    listed: CatalogGoods
    producer: str
    price: str
    stock: str
    low: str
    sizes: int
    own_stock: bool
    own_goods: bool
    groups: tuple[tuple[str, int], ...] = ()
    only_for: tuple[str, ...] = ()
    packs: tuple[Packs, ...] = ()


def products_page(visit: Visit, slips: Sequence[PriceSlip] = ()) -> Response:
    words = visit.query.get("q", "").strip()[:_LONGEST]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "products:read")
        names = _names_of_goods(tx, desk.enterprise.id)
        matches = [each for each in names if search_key(words) in search_key(f"{each.name} {each.producer}")]
        page, pages = page_of(visit, len(matches), AT_ONCE)
        rows = _load(tx, desk, visit.language, matches[(page - 1) * AT_ONCE : page * AT_ONCE])
        keeping = orders_at_old_price(tx, desk, slips) if slips else 0
        products = list(dict.fromkeys(row.listed.product.id for row in rows))
        parts = page_parts(tx, visit, "products", desk.enterprise.id, desk.scopes, subjects=products)
    return show(
        visit,
        desk,
        "products",
        at="products",
        rows=_with_sizes(rows),
        words=words,
        page=page,
        pages=pages,
        count_all=len(names),
        matches=len(matches),
        typed=visit.form,
        names={f"{PRICE}{row.listed.item_id}": row.listed.name for row in rows}
        | {f"{kind}{row.listed.lot.id}": row.listed.name for row in rows for kind in (STOCK, LOW)},
        saved=visit.query.get("saved", ""),
        priced=visit.query.get("priced", ""),
        holding=visit.query.get("holding", ""),
        held=visit.query.get("held", ""),
        slips=slips,
        slips_confirmed_by=confirmation_of(slips),
        keeping=keeping,
        ticked=ticked_items(visit.form),
        kinds=_kinds(visit.language),
        bulk={name: visit.form.get(name, "") for name in BULK},
        added_parts=[part for part in parts if not part.subject],
        added_lines=_lines_by_product(parts),
    )


def _lines_by_product(parts: Sequence[PagePart]) -> Mapping[str, Sequence[PageLine]]:
    """What plugins say on the rows of products, by the product's id."""
    lines: dict[str, list[PageLine]] = {}
    for part in parts:
        lines.setdefault(part.subject, []).extend(part.lines)
    return lines


def _names_of_goods(tx: Transaction, enterprise_id: str) -> list[ListedName]:
    """All of the enterprise's items, and its own goods that only others sell, by producer and name, so that sizes of
    one lot stand together."""
    return sorted(
        [*listed_names(tx, enterprise_id), *unlisted_names(tx, enterprise_id)],
        key=lambda each: (search_key(each.producer), search_key(each.lot_name), each.lot_id, each.quantity),
    )


def _load(tx: Transaction, desk: Desk, language: str, names: Sequence[ListedName]) -> list[GridRow]:
    """The rows of these goods, in their order. Seven statements, however many goods there are."""
    shop, currency = desk.enterprise.id, desk.enterprise.currency
    items = goods_by_item(tx, shop, [each.item_id for each in names if each.item_id])
    items |= unlisted_goods(tx, [each.product_id for each in names if not each.item_id])
    writable = grantors(tx, shop, "WriteProducts")
    names_of_groups = {group.id: group.name for group in list_categories(tx, shop)}
    return [
        GridRow(
            listed=item,
            producer=each.producer,
            price=_price_in_field(item, currency, language),
            stock=_stock_in_field(item.lot, language),
            low=_low_in_field(item.lot, language),
            sizes=1,
            own_stock=item.lot.enterprise_id == shop and not item.lot.unlimited,
            own_goods=item.product.enterprise_id in writable,
            groups=tuple(_group_prices(item, names_of_groups)),
            only_for=tuple(names_of_groups[id] for id in item.item.shown_to) if item.item else (),
        )
        for each in names
        if (item := items.get(each.item_id or each.product_id))
    ]


def _group_prices(item: CatalogGoods, names: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    offers = prices_by_group(item.item) if item.item else {}
    for group_id, name in names.items():
        if group_id in offers and offers[group_id].price != item.price:
            yield name, offers[group_id].price


def _price_in_field(item: CatalogGoods, currency: str, language: str) -> str:
    return "" if item.price is None else amount_in_field(item.price, currency, language)


def _stock_in_field(lot: StockLot, language: str) -> str:
    return number_in_field(lot.on_hand.normalize(), language)


def _low_in_field(lot: StockLot, language: str) -> str:
    return "" if lot.low_level is None else number_in_field(lot.low_level.normalize(), language)


def _with_sizes(rows: Sequence[GridRow]) -> list[GridRow]:
    """The rows of one page, with the number of those that share a lot in the first of them, and 0 in the others."""
    of_lot: dict[str, list[CatalogGoods]] = {}
    for row in rows:
        of_lot.setdefault(row.listed.lot.id, []).append(row.listed)
    result = []
    for row in rows:
        sizes = of_lot.pop(row.listed.lot.id, [])
        result.append(replace(row, sizes=len(sizes), packs=tuple(_packs(sizes))))
    return result


def _packs(sizes: Sequence[CatalogGoods]) -> Iterator[Packs]:
    """The stock of a lot in each of its sizes."""
    for item in sizes:
        lot, product = item.lot, item.product
        if not lot.unlimited:
            pieces = int(lot.on_hand * lot.per_unit) // product.lot_quantity
            yield Packs(pieces=pieces, quantity=product.quantity, unit=product.unit)


# ------------------------------------------------------------------------------------------------ saving


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Prices in minor units by item, and by lot, in its unit, stocks and the levels that count as low (None: none)."""

    prices: Mapping[str, int]
    stocks: Mapping[str, Decimal]
    low_levels: Mapping[str, Decimal | None]


def _is_field(visit: Visit, name: str) -> bool:
    return name in BULK or name in visit.form


@on_refusal(products_page, _is_field)
def post_save(visit: Visit) -> Response:
    """Saves what was changed on the page, or nothing: a mistake, or a change by somebody else, stands at its field.

    The second button also changes the rows that are ticked, after what was typed in them.
    """
    typed = {name: value for name, value in visit.form.items() if name.startswith((PRICE, STOCK, LOW))}
    changed = {name: value for name, value in typed.items() if value.strip() != visit.form.get(f"{WAS}{name}", "")}
    slips = _slips(visit, changed)
    if not confirmed(visit, slips):
        return products_page(visit, slips)
    with visit.write() as tx:
        desk = open_desk(tx, visit, "catalogs:write")
        changes = read_changes(changed, desk.enterprise.currency)
        bulk = read_bulk(visit.form, visit.language) if visit.form.get("apply") == "ticked" else None
        if changes.stocks or changes.low_levels:
            open_desk(tx, visit, "products:write")
        _refuse_changed_meanwhile(tx, visit, desk, changed)
        set_prices(tx, desk.enterprise.id, changes.prices)
        for lot_id, on_hand in changes.stocks.items():
            with _at_field(f"{STOCK}{lot_id}"):
                count_stock(tx, desk.enterprise.id, lot_id, on_hand, person_id=visit.actor.person_id)
        for lot_id, low_level in changes.low_levels.items():
            version = lot_by_id(tx, desk.enterprise.id, lot_id).version
            with _at_field(f"{LOW}{lot_id}"):
                change_lot(tx, desk.enterprise.id, lot_id, version, low_level=low_level)
        count, holding, held = len(changed), 0, ""
        priced = count_at_other_prices(tx, desk, changes.prices)
        if bulk is not None:
            ticked = ticked_items(visit.form)
            rows = list(goods_by_item(tx, desk.enterprise.id, ticked).values())
            writable = frozenset({desk.enterprise.id, *grantors(tx, desk.enterprise.id, "WriteProducts")})
            count += apply_bulk(tx, visit, desk, bulk, rows, writable)
            holding = count_orders_with(tx, desk.enterprise.id, ticked) if bulk.hides else 0
            held = ",".join(sorted({item.product.id for item in rows})) if desk.may("orders:write") else ""
    place = {name: visit.query[name] for name in ("q", "page") if name in visit.query}
    saved = {"saved": count, **({"holding": holding, "held": held} if holding else {})}
    if priced:
        saved["priced"] = priced
    return visit.redirect(f"{desk.address}/products?{urlencode({**saved, **place})}")


def _slips(visit: Visit, changed: Mapping[str, str]) -> list[PriceSlip]:
    """The prices of the form that look like slips. Raises `Invalid` as saving does."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "catalogs:write")
        prices = dict(read_changes(changed, desk.enterprise.currency).prices)
        bulk = read_bulk(visit.form, visit.language) if visit.form.get("apply") == "ticked" else None
        ticked = ticked_items(visit.form) if bulk is not None and bulk.percent else frozenset()
        item_ids = ticked | prices.keys()
        items = list(goods_by_item(tx, desk.enterprise.id, item_ids).values())
        if bulk is not None:
            typed = [replace(item, price=prices.get(item.item_id, item.price)) for item in items]
            prices |= prices_by_percent([item for item in typed if item.item_id in ticked], bulk.percent)
    return slips_of(items, prices)


def _kinds(language: str) -> list[str]:
    return sorted(concept.label(language) for concept in PRODUCT_TYPES.values())


def read_changes(changed: Mapping[str, str], currency: str) -> Changes:
    """Reads the changed fields. Raises `Invalid` with every mistake, each at its field."""
    prices, stocks, problems = dict[str, int](), dict[str, Decimal](), list[Problem]()
    low_levels: dict[str, Decimal | None] = {}
    for name, text in changed.items():
        if name.startswith(PRICE):
            price = read_amount(text, currency)
            if isinstance(price, Problem):
                problems.append(Problem(price.code, price.text, f"/{name}", price.values))
            elif problem := price_problem(price, f"/{name}"):
                problems.append(problem)
            else:
                prices[name.removeprefix(PRICE)] = price
            continue
        if name.startswith(LOW) and not text.strip():
            low_levels[name.removeprefix(LOW)] = None
            continue
        try:
            quantity = read_decimal(text.strip().replace(",", "."))
            if name.startswith(LOW):
                low_levels[name.removeprefix(LOW)] = quantity
            else:
                stocks[name.removeprefix(STOCK)] = quantity
        except InvalidOperation:
            message = "{text} is not a quantity; write it like 12 or 12.5."
            problems.append(Problem("quantity", message, f"/{name}", {"text": text[:20]}))
    if problems:
        raise Invalid(problems)
    return Changes(prices=prices, stocks=stocks, low_levels=low_levels)


def _refuse_changed_meanwhile(tx: Transaction, visit: Visit, desk: Desk, changed: Mapping[str, str]) -> None:
    """Raises `Invalid` at each field whose value is no longer the one that was shown: nobody overwrites another."""
    now = _values_now(tx, desk, visit.language, changed)
    text = "Somebody has changed this to {now} meanwhile. Save again if yours is right."
    problems = [
        Problem("changed_meanwhile", text, f"/{name}", {"now": now[name]})
        for name in changed
        if name in now and now[name] != visit.form.get(f"{WAS}{name}", "")
    ]
    if problems:
        raise Invalid(problems)


def _values_now(tx: Transaction, desk: Desk, language: str, names: Iterable[str]) -> dict[str, str]:
    """What these fields would show now; those of items and lots that the enterprise does not have are left out."""
    shop, currency = desk.enterprise.id, desk.enterprise.currency
    ids = {kind: {name.removeprefix(kind) for name in names if name.startswith(kind)} for kind in (PRICE, STOCK, LOW)}
    items = goods_by_item(tx, shop, ids[PRICE]).values()
    lots = [lot for lot in lots_by_id(tx, ids[STOCK] | ids[LOW]).values() if lot.enterprise_id == shop]
    return (
        {f"{PRICE}{item.item_id}": _price_in_field(item, currency, language) for item in items}
        | {f"{STOCK}{lot.id}": _stock_in_field(lot, language) for lot in lots}
        | {f"{LOW}{lot.id}": _low_in_field(lot, language) for lot in lots}
    )


@contextmanager
def _at_field(name: str) -> Iterator[None]:
    """Raises an error of the block as one that stands at the field."""
    try:
        yield
    except Refused as error:
        problems = error.problems or [Problem(error.code, error.text, values=error.values)]
        raise Invalid([Problem(each.code, each.text, f"/{name}", each.values) for each in problems]) from error
