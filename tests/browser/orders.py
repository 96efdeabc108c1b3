"""Olivia, who owns the shop, and orders for her to hand out."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from commensal.enterprises.members import add_member
from commensal.enterprises.tables import enterprise_member
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.people.people import add_person, new_person
from commensal.sale_sessions.visible_offers import offers_for
from commensal_pickup.tables import pickup_place, pickup_slot

from .conftest import PASSWORD, Shop

BAG = 240  # the price of a bag of carrots


def olivia(shop: Shop) -> None:
    """Makes Olivia the owner of the shop, olivia@example.org."""
    person = new_person(email="olivia@example.org", name="Olivia Roy", password=PASSWORD, language="fr")
    with shop.instance.store.write() as tx:
        owner = add_person(tx, person, confirmed=True)
        assert owner is not None
        row = {"enterprise_id": "shop", "person_id": owner.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))


def a_colleague(shop: Shop, name: str, role: str) -> str:
    """Makes a member with another role, and returns their e-mail address."""
    email = f"{name.lower()}@example.org"
    with shop.instance.store.write() as tx:
        assert add_person(tx, new_person(email=email, name=name, password=PASSWORD, language="fr"), confirmed=True)
        add_member(tx, "shop", email=email, role=role)
    return email


def an_order(shop: Shop, name: str, note: str = "") -> Order:
    """Orders a bag of carrots, to be collected at the hall without a fee."""
    with shop.instance.store.write() as tx:
        (bag,) = (offer.item_id for offer in offers_for(tx, "shop-session", []) if offer.price == BAG)
        hall = select(pickup_place.c.id).where(pickup_place.c.price == 0)
        of_hall = update(pickup_slot).where(pickup_slot.c.place_id.in_(hall))
        slot = tx.value(of_hall.values(capacity=100).returning(pickup_slot.c.id))
        wish = Wish(
            items={bag: 1},
            name=name,
            email="somebody@example.org",
            note=note,
            payment_method="cash:cash",
            shipping=f"pickup:{slot}",
        )
        return place_order(tx, shop.instance.hooks, "shop-session", wish, by_hub=True)
