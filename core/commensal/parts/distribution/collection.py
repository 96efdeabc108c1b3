"""Where the goods of a sale are collected, for those who bring them there and for its papers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ...hooks.dispatcher import Hooks
from ...hooks.values import ShippingOption
from ...orders.shipping import offered_shipping
from ...storage.database import Transaction


@dataclass(frozen=True, kw_only=True)
class CollectionPlace:
    """A place at which customers collect the goods of one sale. `name` and `note` are in the reader's language, and ""
    where there is none; `address` is one line.

    begins_at, ends_at: of the hand-out there, from the first slot to the last one (UTC)
    """

    name: str
    address: str
    note: str
    begins_at: datetime
    ends_at: datetime

    @property
    def line(self) -> str:
        """The name and the address on one line."""
        return ", ".join(filter(None, (self.name, self.address)))


def collection_places(
    tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str, language: str
) -> list[CollectionPlace]:
    """Returns the places of a sale session, by the time at which each begins; none where all is delivered, or where
    plugins name no place.

    It costs the statements of the plugins that offer shipping, and one more.
    """
    return _by_place(offered_shipping(tx, hooks, enterprise_id, session_id, language).values())


def _by_place(options: Iterable[ShippingOption]) -> list[CollectionPlace]:
    of_place: dict[tuple[str, str], list[ShippingOption]] = {}
    for option in options:
        if not option.needs_address and (option.place or option.address):
            of_place.setdefault((option.place, option.address), []).append(option)
    places = [
        CollectionPlace(
            name=name,
            address=address,
            note=slots[0].note,
            begins_at=min(slot.begins_at for slot in slots),
            ends_at=max(slot.ends_at for slot in slots),
        )
        for (name, address), slots in of_place.items()
    ]
    return sorted(places, key=lambda place: (place.begins_at, place.line))
