"""What a list changes: the rows to write, all of them known before the first is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from ...base.errors import Problem
from ...base.html import clean_html
from ...storage.database import Transaction
from ..products.content import search_text
from ..products.vat import ALWAYS
from .columns import Headers
from .existing import Item, Known, Lot, Place
from .findings import Findings
from .lots import Heap
from .matching import Match
from .read import as_cell
from .row_values import Defaults

_PLAIN = ("product_type", "quantity", "unit", "weighed", "deposit")  # compared as they are
_TEXTS = ("name", "sku")  # an empty cell says nothing of them
_TERMS = ("labels", "allergens")  # their order says nothing

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Rows to insert, by table, and changes of rows that exist, each with what was read.

    counted: what is to be in lots that exist, by id: grains, ordered ones included; None where the lot is unlimited
    """

    place: Place
    lots: list[Row] = field(default_factory=list)
    counted: dict[str, int | None] = field(default_factory=dict)
    unlimited: list[tuple[Lot, bool]] = field(default_factory=list)
    products: list[Row] = field(default_factory=list)
    product_changes: list[tuple[Known, Row]] = field(default_factory=list)
    rates: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    item_changes: list[tuple[Item, Row]] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    price_changes: list[tuple[Item, int]] = field(default_factory=list)
    created: list[int] = field(default_factory=list)  # rows of the list …
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Planner:
    """Turns heaps of matched rows, none of which has a mistake, into a plan."""

    tx: Transaction
    place: Place
    headers: Headers
    defaults: Defaults
    findings: Findings

    def plan(self, heaps: Iterable[Heap]) -> Plan:
        plan = Plan(self.place)
        steps = []
        for heap in heaps:
            lot_id = self._lot(plan, heap)
            steps += [(match.said.row, match, heap, lot_id) for match in heap.matches]
        for row, match, heap, lot_id in sorted(steps, key=lambda step: step[0]):
            lot = {"lot_id": lot_id, "lot_quantity": heap.lot_quantity[row]}
            if match.known is None:
                self._create(plan, match, lot)
                plan.created.append(row)
                continue
            changed = self._change(plan, match, match.known, lot)
            (plan.changed if changed or row in heap.changed else plan.unchanged).append(row)
        return plan

    def _lot(self, plan: Plan, heap: Heap) -> str:
        """Plans the lot's row or level; returns its id."""
        lot, free = heap.lot, heap.on_hand - heap.lot.bound
        if not heap.is_new:
            if free != lot.free:
                plan.counted[lot.id] = None if heap.unlimited else heap.on_hand
            if heap.unlimited != lot.unlimited:
                plan.unlimited.append((lot, heap.unlimited))
            return lot.id
        lot_id = self.tx.new_id()
        row = {
            "id": lot_id, "enterprise_id": lot.producer_id, "name": lot.name, "unit": lot.unit,
            "per_unit": lot.per_unit, "unlimited": heap.unlimited, "free": free, "reserved": 0, "sold": 0,
            "lent": 0, "beyond": 0,
            "created_at": self.tx.now, "version": 1,
        }  # fmt: skip
        plan.lots.append(row)
        return lot_id

    def _create(self, plan: Plan, match: Match, lot: Row) -> None:
        said, values = match.said, match.said.values
        product_type = values.get("product_type", self.defaults.category)
        rate = values.get("vat_rate", self.defaults.vat_rate)
        product_id, sku = self.tx.new_id(), values.get("sku") or None
        plan.products.append({
            "id": product_id, "enterprise_id": said.producer.id, **lot, "name": values["name"],
            "description": clean_html(values.get("description", "")), "product_type": product_type, "sku": sku,
            "quantity": values["quantity"], "unit": values["unit"], "weighed": values.get("weighed", False),
            "labels": list(values.get("labels", ())), "allergens": list(values.get("allergens", ())),
            "deposit": values.get("deposit", 0), "search": search_text(values["name"], sku),
            "created_at": self.tx.now, "version": 1,
        })  # fmt: skip
        plan.rates.append({"product_id": product_id, "valid_from": ALWAYS.isoformat(), "rate": rate})
        self._list(plan, match, product_id)

    def _change(self, plan: Plan, match: Match, known: Known, lot: Row) -> bool:
        """Plans what the row changes of a product that exists; whether it does."""
        changes = _product_changes(known, match.said.values, lot)
        if changes:
            plan.product_changes.append((known, changes))
        rate = match.said.values.get("vat_rate", known.vat_rate)
        if rate != known.vat_rate:
            today = self.tx.now.astimezone(ZoneInfo(match.said.producer.timezone)).date()
            plan.rates.append({"product_id": known.id, "valid_from": today.isoformat(), "rate": rate})
        listed = self._list(plan, match, known.id)
        return bool(changes) or rate != known.vat_rate or listed

    def _list(self, plan: Plan, match: Match, product_id: str) -> bool:
        """Plans the product's place in the catalog and its general offer; whether anything changes."""
        values, item = match.said.values, match.known.item if match.known else None
        name, hidden, price = values.get("display_name"), values.get("hidden"), values.get("price")
        if item is None and price is None:
            if name or hidden:
                text = "This product is not in the catalog. Give it a price to put it there."
                self._note(match, "display_name" if name else "hidden", Problem("not_listed", text))
            return False
        if item is None and not match.said.producer.sells:
            text = "{producer} lets you change its products, but not sell them. Leave the price empty."
            self._note(match, "price", Problem("not_granted", text, values={"producer": match.said.producer.name}))
            return False
        if item is None:
            item_id = self.tx.new_id()
            plan.items.append({"id": item_id, "product_id": product_id, "name": name or None, "hidden": bool(hidden)})
            plan.offers.append(self._offer(item_id, price))
            return True
        changes: Row = {}
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
        return True

    def _offer(self, item_id: str, price: int | None) -> Row:
        return {"id": self.tx.new_id(), "item_id": item_id, "category_id": None, "price": price, "version": 1}

    def _note(self, match: Match, key: str, problem: Problem) -> None:
        self.findings.add(match.said.row, self.headers.spelling.get(key, ""), problem)


def _product_changes(known: Known, values: Row, lot: Row) -> Row:
    """The columns of a product that a row changes, with what is to be in them."""
    changes = {name: values[name] for name in _PLAIN if name in values and values[name] != getattr(known, name)}
    changes |= {name: value for name, value in lot.items() if value != getattr(known, name)}
    for name in _TEXTS:
        if values.get(name) and values[name] != as_cell(getattr(known, name) or ""):
            changes[name] = values[name]
    for name in _TERMS:
        if name in values and set(values[name]) != set(getattr(known, name)):
            changes[name] = list(values[name])
    if "description" in values and values["description"] != as_cell(known.description):
        changes["description"] = clean_html(values["description"])
    if "name" in changes or "sku" in changes:
        changes["search"] = search_text(changes.get("name", known.name), changes.get("sku", known.sku))
    return changes
