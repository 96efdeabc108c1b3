"""What a plugin's field says of a product reaches the hubs of peers that have the plugin too, and no others."""

from __future__ import annotations

from typing import Any

from commensal import PluginFields, ProductField
from commensal.base.plugin_fields import DeclaredFields
from commensal.products import products_by_id
from commensal.products.products import change_product

from .trading import Hub, Producer

FIELDS = [
    ProductField(name="chilled", kind="flag", english="kept cold", french="au frais", shown="line"),
    ProductField(name="grower", kind="text", english="grower", french="culture"),
    ProductField(name="margin", kind="amount", english="margin", french="marge", most=9_999, copied=False),
]
SAID = {"chilled": True, "grower": "Léa", "margin": 40}


def declare(*places: Any) -> None:
    for place in places:
        declared = PluginFields({"cold": {field.name: field for field in FIELDS}})
        place.instance.store.plugin_fields = DeclaredFields(products=declared)


def describe(farm: Producer) -> None:
    with farm.write() as tx:
        change_product(tx, farm.id, farm.product.id, 1, plugin_fields={"cold": SAID})
    farm.region.work()


def copied(hub: Hub, farm: Producer) -> dict[str, dict[str, Any]]:
    (offered,) = hub.received(farm)
    with hub.read() as tx:
        return products_by_id(tx, [offered.product_id])[offered.product_id].plugin_fields


def test_a_hub_with_the_plugin_keeps_what_may_be_told(farm: Producer, hub: Hub) -> None:
    declare(farm, hub)
    describe(farm)
    farm.grant(hub)
    assert copied(hub, farm) == {"cold": {"chilled": True, "grower": "Léa"}}


def test_a_change_of_a_field_is_told(farm: Producer, hub: Hub) -> None:
    declare(farm, hub)
    farm.grant(hub)
    assert copied(hub, farm) == {}
    describe(farm)
    assert copied(hub, farm) == {"cold": {"chilled": True, "grower": "Léa"}}


def test_a_hub_without_the_plugin_trades_as_before(farm: Producer, hub: Hub) -> None:
    declare(farm)
    describe(farm)
    farm.grant(hub)
    assert copied(hub, farm) == {}
