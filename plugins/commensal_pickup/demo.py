"""Places and slots for the demo region: a hall with limited slots, and a relay point without limit."""

from __future__ import annotations

import random
from datetime import timedelta

from commensal import DemoPlace, Sale, Transaction, enterprise_by_id, hookimpl, sales

from .places import Place, add_place
from .slots import add_slot

_HALLS = ("Salle des fêtes", "Foyer rural", "Halle du marché", "Maison de quartier", "Cour de l’ancienne école")
_NOTES = ("Entrée par la cour.", "Stationnement derrière le bâtiment.", "Sonner à la porte verte.")
_STREETS = ("rue des Tilleuls", "place de la République", "rue du Lavoir", "chemin des Vignes")


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    """Adds two places, and slots there for every open or coming sale."""
    chance = random.Random(f"pickup {place.seed}")  # noqa: S311 - the demo is drawn from its seed
    hub = enterprise_by_id(tx, place.enterprise_id)
    street = f"{chance.randint(1, 60)} {chance.choice(_STREETS)}"
    hall = add_place(
        tx,
        hub.id,
        name=chance.choice(_HALLS),
        street=street,
        postcode=hub.postcode,
        city=hub.city,
        note=chance.choice(_NOTES),
    )
    point = add_place(tx, hub.id, name="Point relais de la gare", postcode=hub.postcode, city=hub.city, price=150)
    for sale in sales(tx, openness="both", shop_id=hub.id):
        _slots(tx, sale, hall, chance)
        session = sale.session
        add_slot(tx, hub.id, session.id, place_id=point.id, begins_at=session.begins_at, ends_at=session.ends_at)
    return True


def _slots(tx: Transaction, sale: Sale, hall: Place, chance: random.Random) -> None:
    """Adds slots of half an hour or more for the hours of the distribution."""
    session = sale.session
    length = max((session.ends_at - session.begins_at) / 4, timedelta(minutes=30))
    begins_at = session.begins_at
    while begins_at < session.ends_at:
        ends_at = min(begins_at + length, session.ends_at)
        add_slot(
            tx,
            hall.enterprise_id,
            session.id,
            place_id=hall.id,
            begins_at=begins_at,
            ends_at=ends_at,
            capacity=chance.randint(12, 30),
        )
        begins_at = ends_at
