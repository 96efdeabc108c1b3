"""The producers of the goods of a sale: where their pages are, and how far they live from the shop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commensal import Enterprise, Transaction, enterprises_by_id
from commensal.sale_sessions import VisibleOffer, suppliers_on_sale

_EARTH = 6371.0  # kilometres: the mean radius


@dataclass(frozen=True, kw_only=True)
class Maker:
    """A producer as a product names it.

    city:       "" if the producer is hidden
    url:        of its page; "" if the producer is hidden
    kilometres: from the shop, in a straight line; None if it is not known where both are
    """

    name: str
    city: str = ""
    url: str = ""
    kilometres: int | None = None


def makers_of(tx: Transaction, offers: Iterable[VisibleOffer], shop_id: str) -> Mapping[str, Maker]:
    """The producers of these offers by their ids, in one statement."""
    names = {offer.supplier_id: offer.supplier_name for offer in offers}
    enterprises = enterprises_by_id(tx, {*names, shop_id}) if names else {}
    shop = enterprises.get(shop_id)
    return {id: _maker(name, enterprises.get(id), shop) for id, name in names.items()}


def makers_at(tx: Transaction, shop: Enterprise) -> list[Maker]:
    """The producers whose goods the shop sells now or soon, by name, at most 50; without those that are hidden."""
    return [_maker(producer.name, producer, shop) for producer in suppliers_on_sale(tx, shop.id)]


def _maker(name: str, producer: Enterprise | None, shop: Enterprise | None) -> Maker:
    if producer is None or producer.visibility == "hidden" or producer.archived_at is not None:
        return Maker(name=name)
    url = f"/producers/{producer.slug}"
    kilometres = _distance(producer, shop) if shop and shop.id != producer.id else None
    return Maker(name=name, city=producer.city, url=url, kilometres=kilometres)


def _distance(producer: Enterprise, shop: Enterprise) -> int | None:
    """Kilometres along a great circle (haversine formula), at least 1."""
    if producer.latitude is None or producer.longitude is None or shop.latitude is None or shop.longitude is None:
        return None
    north, north_of_shop = math.radians(producer.latitude), math.radians(shop.latitude)
    across = math.sin((north_of_shop - north) / 2) ** 2
    along = math.sin(math.radians(shop.longitude - producer.longitude) / 2) ** 2
    share = across + math.cos(north) * math.cos(north_of_shop) * along
    return max(1, round(2 * _EARTH * math.asin(math.sqrt(share))))
