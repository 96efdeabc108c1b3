"""A farm that moves from one instance to another, for tests of what happens then."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from commensal.trade.enterprises.tables import enterprise_member
from commensal.trade.people.tables import person
from commensal.trade.sale_sessions.tables import coordination
from commensal_federation.catalogue.tables import federation_mirror
from commensal_federation.delivery import post
from commensal_federation.messages.bodies.moving import MoveRow
from commensal_federation.moving.moves import moves
from commensal_federation.moving.new_home import accept_move, name_owner
from commensal_federation.moving.old_home import offer_move
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, minutes


def a_farm(region: Region) -> Producer:
    """On a, owned by Ann, who has an account on c too."""
    producer = Producer(region, "a")
    of_ann(producer)
    return producer


def of_ann(place: Place) -> None:
    """The enterprise is hers, and its own sale is called off."""
    for name in ("a", "c"):
        with place.region[name].instance.store.write() as tx:
            _a_person(tx, f"ann-at-{name}")
    with place.write() as tx:
        member = {"enterprise_id": place.id, "person_id": "ann-at-a", "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member), member)
        own = coordination.c.id == f"{place.id}-sale"
        tx.execute(update(coordination).where(own).values(cancelled_at=tx.now))


def _a_person(tx: Any, id: str) -> None:
    row = {"id": id, "email": f"{id}@example.org", "name": id, "phone": "", "language": "en", "is_operator": False,
           "created_at": tx.now, "confirmed_at": tx.now, "version": 1}  # fmt: skip
    tx.execute(insert(person), {name: value for name, value in row.items() if name in person.c})


def offer(farm: Place, to: str = "c") -> MoveRow:
    """The owner offers the farm to another instance, where it is noted."""
    with farm.write() as tx:
        offered = offer_move(farm.federation, tx, farm.id, farm.region.peer(farm.at, to).id)
    farm.region.work()
    return offered


def accept(region: Region, at: str = "c") -> None:
    """The operator of the new home and the future owner agree."""
    federation, ann = region[at], f"ann-at-{at}"
    with federation.instance.store.write() as tx:
        (coming,) = moves(tx, role="coming", states=("offered",))
        name_owner(tx, coming.id, ann)
        accept_move(federation, tx, coming.id, ann)


def move(farm: Place, to: str = "c") -> Place:
    """From the offer to where everybody has followed. The farm at its new home."""
    offer(farm, to)
    accept(farm.region, to)
    farm.region.work()
    minutes(farm.region, 3)
    return Place(farm.region, to, farm.id)


def states(region: Region) -> dict[str, list[str]]:
    """What became of all moves, by instance."""
    found: dict[str, list[str]] = {}
    for name, federation in region.members.items():
        with federation.instance.store.read() as tx:
            found[name] = [f"{move.role} {move.state}" for move in moves(tx)]
    return found


def home_of(hub: Hub) -> list[str]:
    """Where the hub's instance believes that its producers live."""
    with hub.read() as tx:
        return [row["iri"] for row in tx.all(select(federation_mirror.c.iri))]


def say(region: Region, origin: str, to: str, type: str, body: Any) -> None:
    """Whatever an instance likes to say."""
    federation = region[origin]
    with federation.instance.store.write() as tx:
        post(federation, tx, region.peer(origin, to).id, type, body)
    region.work()
