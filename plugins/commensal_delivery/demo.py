"""Delivery in the demo region: one hub of each valley has a van."""

from __future__ import annotations

import random
from decimal import Decimal

import msgspec

from commensal import DemoPlace, Transaction, change_plugin, enterprise_by_id, hookimpl, sales

from .slots import add_slot
from .zones import DeliverySettings, Step, Zone

_WITH_A_VAN = "La Halle"  # the beginning of the name of the hub that delivers


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool | None:
    """Sets two zones around the hub, and adds a slot to every open or coming sale."""
    hub = enterprise_by_id(tx, place.enterprise_id)
    if not hub.name.startswith(_WITH_A_VAN) or not hub.postcode:
        return None
    chance = random.Random(f"delivery {place.seed}")  # noqa: S311 - the demo is drawn from its seed
    near = Zone(
        id="ville",
        name=hub.city,
        postcodes=(hub.postcode,),
        price=300,
        steps=(Step(above=Decimal(20), price=500),),
        free_from=6000,
    )
    far = Zone(
        id="alentours",
        name="Alentours",
        names={"de": "Umgebung", "en": "Surroundings"},
        postcodes=(f"{hub.postcode[:2]}*",),
        price=600,
        minimum=3000,
    )
    settings = DeliverySettings(zones=(near, far))
    values: dict[str, object] = msgspec.json.decode(msgspec.json.encode(settings))
    change_plugin(tx, place.instance.hooks, hub.id, "delivery", 1, values)
    for sale in sales(tx, openness="both", shop_id=hub.id):
        session = sale.session
        add_slot(
            tx,
            settings,
            hub.id,
            session.id,
            begins_at=session.begins_at,
            ends_at=session.ends_at,
            capacity=chance.randint(10, 20),
        )
    return True
