"""Two instances that know each other only as DFC platforms: no peering, nothing but HTTP and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.catalogs.catalogs import catalogs_of
from commensal.catalogs.offers import set_price
from commensal.parts.serving.app import make_app
from commensal.products.questions import stocked_by_id
from commensal.testing.instances import NOON, Instances, Plan, RunJobs, client_of
from commensal.testing.shop import Shop, open_shop
from commensal_federation.linked_catalogues.links import link_catalogue, linked_products
from commensal_federation.linked_catalogues.refreshing import refresh
from commensal_federation.linked_catalogues.values import Link, Refreshed
from commensal_federation.runtime import federation_of

from ...ports import free_ports
from ..serving import serving


@dataclass
class Place:
    base: str
    shop: Shop

    def link(self, other: Place, **kwargs: Any) -> Link:
        """Links the other's shop at a margin of a fifth, with a token of a member of that shop."""
        with self.shop.instance.store.write() as tx:
            (catalog,) = catalogs_of(tx, self.shop.id)
            url = f"{other.base}/api/dfc/enterprises/{other.shop.id}"
            options: dict[str, Any] = {
                "auth": "token",
                "secret": other.shop.token,
                "catalog_id": catalog.id,
                "margin": Decimal(20),
            }
            return link_catalogue(federation_of(self.shop.instance), tx, self.shop.id, url, **options, **kwargs)

    def read(self, link: Link) -> Refreshed:
        return refresh(federation_of(self.shop.instance), link.id)

    def sells(self, link: Link) -> dict[str, tuple[int | None, int]]:
        """What it sells of a link: the pieces left and their price at the other's shop."""
        with self.shop.instance.store.read() as tx:
            linked = {linked_product.product_id: linked_product for linked_product in linked_products(tx, link.id)}
            products = stocked_by_id(tx, list(linked))
        return {product.product.name: (product.left, linked[id].price) for id, product in products.items()}


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[Place, Place]]:
    """One shop in the fields and one in the town; each serves, and may call the other."""
    ports, clock, places = free_ports(2), ManualClock(NOON), list[Place]()
    instances, reaching = Instances(tmp_path), tuple(f"127.0.0.1:{port}" for port in ports)
    with ExitStack() as stack:
        for name, port in zip(("farm", "town"), ports, strict=True):
            base, plan = f"http://127.0.0.1:{port}", Plan(plugins=("federation",))
            instance = stack.enter_context(
                instances.open(tmp_path / name, plan, clock=clock, base_url=base, name=name, reaching=reaching)
            )
            client = stack.enter_context(client_of(make_app(instance)))
            places.append(Place(base, open_shop(instance, client, RunJobs(instance, clock), plan, id=name)))
            stack.enter_context(serving(instance, port, jobs=False))
        yield places[0], places[1]


def test_two_instances_that_are_no_peers_sell_each_others_goods(places: tuple[Place, Place]) -> None:
    farm, town = places
    link_to_farm, link_to_town = town.link(farm), farm.link(town, dfc_version="2.0")
    assert town.read(link_to_farm) == Refreshed(new=5)
    assert farm.read(link_to_town) == Refreshed(new=5)  # its own goods, which the town lists too, are not copied back
    assert town.sells(link_to_farm)["Honey"] == (3, 800)
    assert town.sells(link_to_farm) == farm.sells(link_to_town)
    with farm.shop.instance.store.write() as tx:
        set_price(tx, farm.shop.id, farm.shop.items["carrots"], 275)
    farm.shop.order({"honey": 1, "carrots": 4})
    assert town.read(link_to_farm) == Refreshed(changed=1, unchanged=4)
    assert (town.sells(link_to_farm)["Honey"], town.sells(link_to_farm)["Carrots"]) == ((2, 800), (996, 275))
