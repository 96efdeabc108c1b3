"""What an enterprise must bring: the loads of sales whose cut-off has passed, estimated from what was ordered.

A need follows its sale until its sender corrects the crates. Nothing of it names a customer, a product or a price.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from commensal import (
    MEASURES,
    Concept,
    Enterprise,
    Hooks,
    Invalid,
    NotFound,
    Problem,
    ProductField,
    SaleDemand,
    SuppliedProduct,
    Transaction,
    enterprises_by_id,
    hookimpl,
    lineage,
    plugin_settings,
)
from commensal.parts.supply import demand_of_supplier
from commensal.products import products_by_id

from ..costs.alone import Tour, drive_alone
from ..costs.sharing import DEAREST
from ..places.loads import KG_PER_CRATE, MOST_CRATES, MOST_KG, Keeping, Load, coldest, room_taken
from ..places.roads import roads_around
from ..places.routing import ESTIMATED, Point, Roads
from ..settings import Settings
from ..tables import transport_need, transport_place

ID = "transport"
_KG_PER_PIECE = Fraction(1, 2)  # of goods sold by the piece whose weight nobody has entered
_PACKED = Fraction(11, 10)  # of the net weight
_BY_KIND: Mapping[str, Keeping] = {
    "frozen": "frozen",
    "fishery-product": "cold2",
    "meat-product": "cold4",
    "dairy-product": "cold4",
}
_TEMPERATURES = {
    term: Concept(term=term, en=en, fr=fr)
    for term, en, fr in (
        ("ambient", "any temperature", "température ambiante"),
        ("cool8", "at most 8 °C", "8 °C au plus"),
        ("cold4", "at most 4 °C", "4 °C au plus"),
        ("cold2", "at most 2 °C", "2 °C au plus"),
        ("frozen", "at most −18 °C", "−18 °C au plus"),
    )
}
_need = transport_need.c


class SaleKey(NamedTuple):
    """A sale for which goods are brought: `origin` is the plugin that it came by, "" for a sale of this instance."""

    origin: str
    sale_id: str


@dataclass(frozen=True, kw_only=True)
class Need:
    """Goods of a sender that must be at a receiver between `opens` and `closes` (UTC).

    receiver_id:   None for one of another instance, `receiver_iri`, of which nothing is known here yet
    crates, kg:    as estimated, or as the sender corrected them (`is_edited`)
    home, destination: where they are loaded and unloaded; None if the enterprise has no coordinates
    most:          the cents that the sender pays at most, who would not drive there; None: they would drive
    """

    key: SaleKey
    sender_id: str
    receiver_id: str | None
    receiver_iri: str = ""
    home: Point | None
    destination: Point | None
    sale: str
    shop: str
    crates: int
    kg: int
    keeping: Keeping
    own_boxes: bool
    opens: datetime
    closes: datetime
    is_edited: bool = False
    most: int | None = None
    roads: Roads = ESTIMATED

    @property
    def load(self) -> Load:
        """The room that it takes in a van."""
        return room_taken(self.crates, self.kg, self.keeping, own_boxes=self.own_boxes)

    @property
    def alone(self) -> Tour | None:
        """What driving there alone takes; None without coordinates."""
        if self.home is None or self.destination is None:
            return None
        return drive_alone(self.home, [self.destination], roads=self.roads)


@hookimpl
def product_fields() -> list[ProductField]:
    """What a piece weighs with its packaging, and how it must be kept on the road."""
    return [
        ProductField(
            name="gross_weight",
            kind="number",
            english="gross weight (kg)",
            french="poids brut (kg)",
            most=1000,
            optional=True,
        ),
        ProductField(
            name="temperature",
            kind="term",
            english="transport temperature",
            french="température de transport",
            vocabulary=_TEMPERATURES,
            optional=True,
        ),
    ]


def point_of(enterprise: Enterprise) -> Point | None:
    """Where an enterprise is; None if nobody has entered it."""
    if enterprise.latitude is None or enterprise.longitude is None:
        return None
    return Point(enterprise.latitude, enterprise.longitude)


def needs_of(tx: Transaction, hooks: Hooks, sender_id: str) -> list[Need]:
    """What the enterprise must bring to others, the next distribution first. Each hub takes one statement more."""
    demand = demand_of_supplier(tx, hooks, sender_id)
    sales = [sale for sale in demand.sales if sale.final and sale.shop_id != sender_id and sale.begins_at]
    if not sales:
        return []
    products = products_by_id(tx, {line.product_id for sale in sales for line in sale.lines})
    enterprises = enterprises_by_id(tx, {sender_id} | {sale.shop_id for sale in sales if sale.shop_id})
    sender = enterprises[sender_id]
    hours = _reception_hours(tx, hooks, enterprises.keys() - {sender_id})
    edits = {
        SaleKey(row["origin"], row["sale_id"]): row
        for row in tx.all(select(transport_need).where(_need.enterprise_id == sender_id))
    }
    needs = []
    for sale in sales:
        receiver = enterprises.get(sale.shop_id)
        need = _estimated(sale, sender, receiver, products, hours.get(sale.shop_id, Settings.reception_hours))
        edit = edits.get(need.key)
        if edit:
            written = {name: edit[name] for name in ("crates", "kg", "own_boxes", "most")}
            need = replace(need, is_edited=True, **written)
        needs.append(need)
    places = [place for need in needs for place in (need.home, need.destination) if place]
    roads = roads_around(tx, hooks, places)
    return [replace(need, roads=roads) for need in needs]


def need_by_key(tx: Transaction, hooks: Hooks, sender_id: str, key: SaleKey) -> Need:
    """One of `needs_of`. Raises `NotFound` if the enterprise brings nothing for this sale."""
    for need in needs_of(tx, hooks, sender_id):
        if need.key == key:
            return need
    raise NotFound


def correct_load(
    tx: Transaction,
    hooks: Hooks,
    sender_id: str,
    key: SaleKey,
    *,
    crates: int,
    kg: int,
    own_boxes: bool,
    most: int | None = None,
) -> None:
    """Writes down what the sender has really packed, and the cents that they pay at most if they would not drive.

    Raises `Invalid` with every mistake, `NotFound`.
    """
    need_by_key(tx, hooks, sender_id, key)
    problems = []
    if not 1 <= crates <= MOST_CRATES:
        text = "Give the number of crates, between 1 and {most}."
        problems.append(Problem("crates", text, "/crates", {"most": MOST_CRATES}))
    if not 1 <= kg <= MOST_KG:
        problems.append(Problem("kg", "Give the weight in kg, between 1 and {most}.", "/kg", {"most": MOST_KG}))
    if most is not None and not 0 < most <= DEAREST:
        problems.append(Problem("price", "An amount must be between 0 and 1,000 euros.", "/most"))
    if problems:
        raise Invalid(problems)
    of_sale = {"enterprise_id": sender_id, "origin": key.origin, "sale_id": key.sale_id}
    tx.execute(delete(transport_need).where(*(transport_need.c[name] == value for name, value in of_sale.items())))
    tx.execute(insert(transport_need).values(**of_sale, crates=crates, kg=kg, own_boxes=own_boxes, most=most))


# ------------------------------------------------------------------------------------------------ estimates


def _estimated(
    sale: SaleDemand,
    sender: Enterprise,
    receiver: Enterprise | None,
    products: Mapping[str, SuppliedProduct],
    hours: int,
) -> Need:
    assert sale.begins_at is not None
    lines = [(products.get(line.product_id), line) for line in sale.lines]
    kg = sum((weight_of(product, line.unit_quantity, line.unit) * line.quantity for product, line in lines), Fraction())
    keepings = {keeping_of(product) for product, _ in lines if product}
    return Need(
        key=SaleKey(sale.origin, sale.id),
        sender_id=sender.id,
        receiver_id=receiver.id if receiver else None,
        receiver_iri=sale.shop_iri,
        home=point_of(sender),
        destination=point_of(receiver) if receiver else None,
        sale=sale.sale,
        shop=receiver.name if receiver else sale.shop,
        crates=max(1, ceil(kg / KG_PER_CRATE)),
        kg=max(1, ceil(kg)),
        keeping=coldest(keepings),
        own_boxes=False,
        opens=sale.begins_at - timedelta(hours=hours),
        closes=sale.begins_at,
    )


def weight_of(product: SuppliedProduct | None, quantity: Decimal, unit: str) -> Fraction:
    """Kilograms of a piece with its packaging: as entered, else by its net content (a litre weighs a kilogram)."""
    entered = product.plugin_fields.get(ID, {}).get("gross_weight") if product else None
    if entered:
        return Fraction(Decimal(entered))
    measure = MEASURES.get(unit)
    if measure is None or measure.dimension not in ("mass", "volume"):
        return _KG_PER_PIECE
    return Fraction(quantity) * measure.factor / 1000 * _PACKED


def keeping_of(product: SuppliedProduct) -> Keeping:
    """How a product must be kept on the road: as entered, else by its storage, else by its kind."""
    entered: Keeping | None = product.plugin_fields.get(ID, {}).get("temperature")
    if entered:
        return entered
    if "Frozen" in product.handling:
        return "frozen"
    kinds = [_BY_KIND[kind.term] for kind in lineage(product.product_type) if kind.term in _BY_KIND]
    if "Ambient" in product.handling and "Chilled" not in product.handling:
        return "ambient"
    return coldest({*kinds, "cold4"}) if "Chilled" in product.handling else coldest(set(kinds))


def _reception_hours(tx: Transaction, hooks: Hooks, enterprise_ids: Set[str]) -> dict[str, int]:
    """For how many hours each of these receives goods; those that do not use the plugin are left out."""
    place = transport_place.c
    elsewhere = select(place.enterprise_id, place.hours).where(place.enterprise_id.in_(enterprise_ids), place.heard > 0)
    hours = {row["enterprise_id"]: row["hours"] for row in tx.all(elsewhere)}
    for enterprise_id in sorted(enterprise_ids - hours.keys()):
        try:
            hours[enterprise_id] = plugin_settings(tx, hooks, enterprise_id, ID, Settings).reception_hours
        except NotFound:
            continue
    return hours
