"""Pages that plugins add to the office and the shop, in English: they fit, and can be read and used by everybody."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from commensal.enterprises.customers import create_customer
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.sale_sessions.tables import coordination_supplier
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import open_account
from commensal_pickup.tables import pickup_slot

from .conftest import Shop
from .orders import olivia
from .person import Person
from .test_office import OFFICE, logs_in

SCREENS = ((320, "light"), (1280, "dark"))  # pixels
ACCOUNT = {"holder": "Halle Saint-Jean", "iban": "FR7630006000011234567890189"}
SETTINGS = {"account": {}, "bank_transfer": ACCOUNT, "transport": {}, "vouchers": {"gift_cards": True}, "webhooks": {}}
PAGES = (
    f"{OFFICE}/settings/webhooks",
    f"{OFFICE}/money/statement",
    f"{OFFICE}/money/suppliers",
    f"{OFFICE}/money/suppliers/shop-session/sepa",
    f"{OFFICE}/money/codes",
    f"{OFFICE}/money/gift-cards",
    f"{OFFICE}/products/not-offered",
    f"{OFFICE}/transport",
    f"{OFFICE}/transport/plan",
    f"{OFFICE}/transport/vehicles",
    "/hubs/shop/gift-card",
    "/account",
)


@pytest.fixture
def plugins() -> list[str]:
    return ["shop", "office", "cash", "pickup", *SETTINGS]


@pytest.fixture(autouse=True)
def used(unplugged_shop: Shop) -> None:
    """The shop uses the plugins, and Olivia, its owner, is a customer with an account, who may invite to it."""
    olivia(unplugged_shop)
    rows = [
        {"enterprise_id": "shop", "plugin": plugin, "settings": settings, "version": 1}
        for plugin, settings in SETTINGS.items()
    ]
    with unplugged_shop.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin), rows)
        open_account(tx, "shop", create_customer(tx, "shop", email="olivia@example.org", name="Olivia Roy").id)
    owes_a_supplier(unplugged_shop)


def owes_a_supplier(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        a_shop(tx, "bakery", name="Boulangerie de la Petite Sologne", is_producer=True, is_hub=False)
        bread = an_item(tx, a_lot(tx, "bakery", name="Pain"), name="Pain", price=380, enterprise_id="bakery")
        tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="bakery"))
        slot = tx.value(select(pickup_slot.c.id).where(pickup_slot.c.capacity > 0).limit(1))
        wish = Wish(
            items={bread: 2},
            name="Ada Martin",
            email="ada@example.org",
            payment_method="cash:cash",
            shipping=f"pickup:{slot}",
        )
        place_order(tx, shop.instance.hooks, "shop-session", wish, by_hub=True)


def test_pages_of_plugins_fit_and_can_be_read_and_used_by_everybody(person: Person, shop: Shop) -> None:
    logs_in(person)
    person.presses("English")
    faults = []
    for page in PAGES:
        person.goes_to(page)
        status = person.script("return performance.getEntriesByType('navigation')[0].responseStatus")
        assert (status, person.script("return document.documentElement.lang")) == (200, "en"), page
        for width, scheme in SCREENS:
            person.on_a_screen(width, scheme)
            faults += [f"{page}, {width} px, {scheme}: {fault}" for fault in person.faults()]
        faults += [f"{page}: {complaint}" for complaint in person.complaints()]
    assert not faults, "\n".join(faults)
