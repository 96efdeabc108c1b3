"""The first place of a hub: where the hub itself is."""

from __future__ import annotations

from sqlalchemy import select

from commensal import Transaction, enterprise_by_id, hookimpl

from .places import add_place
from .tables import pickup_place


@hookimpl
def switched_on(tx: Transaction, enterprise_id: str) -> None:
    """Adds the hub's own address as a place, if it has told one and has never had a place."""
    hub = enterprise_by_id(tx, enterprise_id)
    if not (hub.is_hub and hub.street and hub.city):
        return
    if tx.first(select(pickup_place.c.id).where(pickup_place.c.enterprise_id == enterprise_id)) is None:
        add_place(
            tx,
            enterprise_id,
            name=hub.name[:100],
            street=hub.street,
            postcode=hub.postcode,
            city=hub.city[:100],
            latitude=hub.latitude,
            longitude=hub.longitude,
        )
