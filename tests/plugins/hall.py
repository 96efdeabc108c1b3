"""A hall where orders are collected, for tests of pickup."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from commensal import Transaction
from commensal.enterprises.tables import enterprise_plugin
from commensal.sale_sessions.tables import sale_session
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_pickup.places import add_place
from commensal_pickup.slots import Slot, add_slot, slot_by_id

SESSION = "shop-session"


class Hall:
    """A shop with a place in its street, and a slot in the evening of its distribution, which takes a day."""

    def __init__(self, store: Store, **slot: Any) -> None:
        self.store = store
        with store.write() as tx:
            a_shop(tx, city="Bourg", postcode="37000")
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="pickup", settings={}, version=1))
            tx.execute(update(sale_session).values(ends_at=tx.now + timedelta(days=3, hours=5)))
            self.item = an_item(tx, a_lot(tx, on_hand="100"))
            self.place = add_place(
                tx, "shop", name="Salle des fêtes", street="3 rue du Lavoir", city="Bourg", price=150
            )
            self.begins_at = tx.now + timedelta(days=2, hours=5)
            self.slot = self.open(tx, **slot)

    def open(self, tx: Transaction, *, hours: int = 2, capacity: int | None = 3) -> Slot:
        ends_at = self.begins_at + timedelta(hours=hours)
        return add_slot(
            tx, "shop", SESSION, place_id=self.place.id, begins_at=self.begins_at, ends_at=ends_at, capacity=capacity
        )

    def taken(self, slot: Slot | None = None) -> int:
        with self.store.read() as tx:
            return slot_by_id(tx, "shop", (slot or self.slot).id).taken
