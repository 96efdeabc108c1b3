"""The plan of an import: all rows to write, complete before the first is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ...base.errors import Problem
from ...base.plugin_fields import PluginValues, read_plugin_values
from ...base.texts import clean_html
from ...products.fields import PRODUCT_FIELDS, ProductField
from ...products.products import search_text
from ...products.vat import ALWAYS
from ...stock.levels import in_units
from ...storage.database import Transaction
from .cells import texts_cell
from .columns import Headers
from .existing import ExistingProduct, Item, ListContext, Lot
from .findings import Findings, PriceSlip, is_slip
from .lots import LotGroup
from .matching import Match
from .read import as_cell
from .row_values import Defaults

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PlannedGoods:
    """What a row of the list makes of a product.

    quantity, unit: net content of one piece
    price:    minor units, from now on; None: not sold
    before:   the price until now; None: there was none
    pieces:   how many of this size the stock then is; None: it is not counted
    on_hand:  the stock in `lot_unit`
    """

    name: str
    quantity: Decimal
    unit: str
    price: int | None
    before: int | None
    pieces: int | None
    on_hand: Decimal
    lot_unit: str
    state: Literal["new", "changed", "unchanged"]


@dataclass(frozen=True)
class ImportPlan:
    """Rows to insert by table, and changes of existing rows, each with the row as it was read.

    counted: new levels of existing lots by id, in grains, ordered ones included; None if the lot becomes unlimited
    """

    context: ListContext
    lots: list[Values] = field(default_factory=list)
    counted: dict[str, int | None] = field(default_factory=dict)
    lot_changes: list[tuple[Lot, Values]] = field(default_factory=list)
    products: list[Values] = field(default_factory=list)
    product_changes: list[tuple[ExistingProduct, Values]] = field(default_factory=list)
    rates: list[Values] = field(default_factory=list)
    items: list[Values] = field(default_factory=list)
    item_changes: list[tuple[Item, Values]] = field(default_factory=list)
    offers: list[Values] = field(default_factory=list)
    price_changes: list[tuple[Item, int]] = field(default_factory=list)
    slips: list[PriceSlip] = field(default_factory=list)
    goods: list[PlannedGoods] = field(default_factory=list)  # in the order of the list
    created: list[int] = field(default_factory=list)  # rows of the list …
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ImportPlanner:
    """Makes a plan from groups of matched rows without mistakes."""

    tx: Transaction
    context: ListContext
    headers: Headers
    defaults: Defaults
    findings: Findings

    def plan(self, groups: Iterable[LotGroup]) -> ImportPlan:
        plan = ImportPlan(self.context)
        steps = []
        for group in groups:
            lot_id = self._lot(plan, group)
            steps += [(match.row.number, match, group, lot_id) for match in group.matches]
        for number, match, group, lot_id in sorted(steps, key=lambda step: step[0]):
            lot = {"lot_id": lot_id, "lot_quantity": group.lot_quantity[number]}
            if match.product is None:
                self._create(plan, match, lot)
                plan.created.append(number)
                plan.goods.append(_planned(match, group, "new"))
                continue
            is_changed = self._change(plan, match, match.product, lot)
            is_changed |= number in group.changed
            (plan.changed if is_changed else plan.unchanged).append(number)
            plan.goods.append(_planned(match, group, "changed" if is_changed else "unchanged"))
        return plan

    def _lot(self, plan: ImportPlan, group: LotGroup) -> str:
        """Plans the lot's row or level; returns its id."""
        lot, free = group.lot, group.on_hand - group.lot.bound
        if not group.is_new:
            if free != lot.free:
                plan.counted[lot.id] = None if group.unlimited else group.on_hand
            if (group.unlimited, group.low_level) != (lot.unlimited, lot.low_level):
                plan.lot_changes.append((lot, {"unlimited": group.unlimited, "low_level": group.low_level}))
            return lot.id
        lot_id = self.tx.new_id()
        row = {
            "id": lot_id,
            "enterprise_id": lot.producer_id,
            "name": lot.name,
            "unit": lot.unit,
            "per_unit": lot.per_unit,
            "unlimited": group.unlimited,
            "free": free,
            "reserved": 0,
            "sold": 0,
            "lent": 0,
            "beyond": 0,
            "low_level": group.low_level,
            "created_at": self.tx.now,
            "version": 1,
        }
        plan.lots.append(row)
        return lot_id

    def _create(self, plan: ImportPlan, match: Match, lot: Values) -> None:
        row, values = match.row, match.row.values
        rate = values.get("vat_rate", self.defaults.vat_rate)
        values = {"product_type": self.defaults.category, **values}
        described = {name: _as_column(field, values.get(name, field.default)) for name, field in PRODUCT_FIELDS.items()}
        product_id = self.tx.new_id()
        plan.products.append(
            {
                "id": product_id,
                "enterprise_id": row.producer.id,
                **lot,
                **described,
                "plugin_fields": self._plugin_fields(values, {}),
                "search": search_text(described["name"], described["sku"]),
                "created_at": self.tx.now,
                "version": 1,
            }
        )
        plan.rates.append({"product_id": product_id, "valid_from": ALWAYS.isoformat(), "rate": rate})
        self._list(plan, match, product_id)

    def _change(self, plan: ImportPlan, match: Match, product: ExistingProduct, lot: Values) -> bool:
        """Plans the row's changes of an existing product; returns whether there are any."""
        changes = _product_changes(product, match.row.values, lot)
        plugin_fields = self._plugin_fields(match.row.values, product.plugin_fields)
        if plugin_fields != product.plugin_fields:
            changes["plugin_fields"] = plugin_fields
        if changes:
            plan.product_changes.append((product, changes))
        rate = match.row.values.get("vat_rate", product.vat_rate)
        if rate != product.vat_rate:
            today = self.tx.now.astimezone(ZoneInfo(match.row.producer.timezone)).date()
            plan.rates.append({"product_id": product.id, "valid_from": today.isoformat(), "rate": rate})
        list_changed = self._list(plan, match, product.id)
        return bool(changes) or rate != product.vat_rate or list_changed

    def _plugin_fields(self, values: Values, before: PluginValues) -> Values:
        """What the product says in fields of plugins after the row; the reader has noted wrong values."""
        return read_plugin_values(self.context.declared, values.get("plugin_fields", {}), before, [])

    def _list(self, plan: ImportPlan, match: Match, product_id: str) -> bool:
        """Plans the product's item in the catalog and its offer for everybody; returns whether anything changes."""
        values, item = match.row.values, match.product.item if match.product else None
        name, hidden, price = values.get("display_name"), values.get("hidden"), values.get("price")
        if item is None and price is None:
            if name or hidden:
                text = "This product is not in the catalog. Give it a price to put it there."
                self._note(match, "display_name" if name else "hidden", Problem("not_listed", text))
            return False
        if item is None and not match.row.producer.sells:
            text = "{producer} lets you change its products, but not sell them. Leave the price empty."
            self._note(match, "price", Problem("not_granted", text, values={"producer": match.row.producer.name}))
            return False
        if item is None:
            item_id = self.tx.new_id()
            plan.items.append({"id": item_id, "product_id": product_id, "name": name or None, "hidden": bool(hidden)})
            plan.offers.append(self._offer(item_id, price))
            self._note_slip(plan, match, None, price)
            return True
        changes: Values = {}
        if name is not None and name != as_cell(item.name or ""):
            changes["name"] = name or None
        if hidden is not None and hidden != item.hidden:
            changes["hidden"] = hidden
        if changes:
            plan.item_changes.append((item, changes))
        if price is None or price == item.price:
            return bool(changes)
        if item.offer_id is None:
            plan.offers.append(self._offer(item.id, price))
        else:
            plan.price_changes.append((item, price))
        self._note_slip(plan, match, item, price)
        return True

    def _note_slip(self, plan: ImportPlan, match: Match, item: Item | None, price: int | None) -> None:
        before = item.price if item else None
        if price is not None and is_slip(before, price):
            product_name = match.product.name if match.product else ""
            name = (item.name if item else None) or match.row.values.get("name") or product_name
            slip = PriceSlip(item_id=item.id if item else "", name=name, before=before, after=price)
            plan.slips.append(slip)

    def _offer(self, item_id: str, price: int | None) -> Values:
        return {"id": self.tx.new_id(), "item_id": item_id, "category_id": None, "price": price, "version": 1}

    def _note(self, match: Match, key: str, problem: Problem) -> None:
        self.findings.add(match.row.number, self.headers.spelling.get(key, ""), problem)


def _planned(match: Match, group: LotGroup, state: Literal["new", "changed", "unchanged"]) -> PlannedGoods:
    values, product = match.row.values, match.product
    item = product.item if product else None
    before = item.price if item else None
    pieces = None if group.unlimited else group.on_hand // group.lot_quantity[match.row.number]
    return PlannedGoods(
        name=values.get("name") or (product.name if product else ""),
        quantity=values["quantity"],
        unit=values["unit"],
        price=values.get("price", before),
        before=before,
        pieces=pieces,
        on_hand=in_units(group.on_hand, group.lot.per_unit),
        lot_unit=group.lot.unit,
        state=state,
    )


def _product_changes(product: ExistingProduct, values: Values, lot: Values) -> Values:
    """The columns of a product that a row changes, with their new values."""
    changes = {
        name: _as_column(field, values[name])
        for name, field in PRODUCT_FIELDS.items()
        if name in values and _differs(field, values[name], getattr(product, name))
    }
    changes |= {name: value for name, value in lot.items() if value != getattr(product, name)}
    if "name" in changes or "sku" in changes:
        changes["search"] = search_text(changes.get("name", product.name), changes.get("sku", product.sku))
    return changes


def _differs(field: ProductField, value: Any, before: Any) -> bool:
    """Whether a row's value changes the product's. An empty cell leaves a name or a reference as it is."""
    if field.kind == "terms":
        return set(value) != set(before)  # in any order
    if field.kind in ("texts", "htmls"):
        return bool(texts_cell(value) != as_cell(texts_cell(before)))
    if field.kind in ("text", "html"):
        return value != as_cell(before or "") and bool(value or not (field.required or field.optional))
    return bool(value != before)


def _as_column(field: ProductField, value: Any) -> Any:
    if field.kind == "html":
        return clean_html(value)
    if field.kind == "terms":
        return list(value)
    if field.kind in ("texts", "htmls"):
        return {language: clean_html(text) if field.kind == "htmls" else text for language, text in value.items()}
    return value or None if field.optional else value
