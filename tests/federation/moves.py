"""A farm that moves from one instance to another, for tests of the consequences."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from commensal.enterprises.tables import enterprise_member
from commensal.people.tables import person
from commensal.sale_sessions.tables import coordination
from commensal_federation.delivery import post
from commensal_federation.grants.tables import federation_mirror
from commensal_federation.messages.moving import MoveRow
from commensal_federation.moving.moves import moves
from commensal_federation.moving.new_home import accept_move, name_owner
from commensal_federation.moving.old_home import offer_move
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, minutes


@pytest.fixture
def farm(region: Region) -> Producer:
    return farm_of_ann(region)


@pytest.fixture
def hub(farm: Producer) -> Hub:
    """A hub on b that may sell the farm's goods."""
    hub = Hub(farm.region, "b")
    farm.grant(hub)
    return hub


def farm_of_ann(region: Region) -> Producer:
    """A farm on instance a, owned by Ann, who also has an account on c."""
    producer = Producer(region, "a")
    give_to_ann(producer)
    return producer


def give_to_ann(place: Place) -> None:
    """Makes Ann the owner of the enterprise and calls off the enterprise's own sale."""
    for name in ("a", "c"):
        with place.region[name].instance.store.write() as tx:
            add_person(tx, f"ann-at-{name}")
    with place.write() as tx:
        member = {"enterprise_id": place.id, "person_id": "ann-at-a", "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member), member)
        own_sale = coordination.c.id == f"{place.id}-sale"
        tx.execute(update(coordination).where(own_sale).values(cancelled_at=tx.now))


def add_person(tx: Any, id: str) -> None:
    row = {
        "id": id,
        "email": f"{id}@example.org",
        "name": id,
        "phone": "",
        "language": "en",
        "is_operator": False,
        "created_at": tx.now,
        "confirmed_at": tx.now,
        "version": 1,
    }
    tx.execute(insert(person), {name: value for name, value in row.items() if name in person.c})


def offer(farm: Place, to: str = "c") -> MoveRow:
    """The owner offers the farm to another instance. Returns the row of the move."""
    with farm.write() as tx:
        move_row = offer_move(farm.federation, tx, farm.id, farm.region.peer(farm.at, to).id)
    farm.region.work()
    return move_row


def accept(region: Region, at: str = "c") -> None:
    """The operator of the new home and the future owner accept the move."""
    federation, ann = region[at], f"ann-at-{at}"
    with federation.instance.store.write() as tx:
        (move_row,) = moves(tx, role="coming", states=("offered",))
        name_owner(tx, move_row.id, ann)
        accept_move(federation, tx, move_row.id, ann)


def move(farm: Place, to: str = "c") -> Place:
    """Moves the farm until all peers have followed. Returns the farm at its new home."""
    offer(farm, to)
    accept(farm.region, to)
    farm.region.work()
    minutes(farm.region, 3)
    with farm.region[to].instance.store.read() as tx:
        *_, arrived = moves(tx, role="coming", states=("done",))
    assert arrived.enterprise_id is not None
    return Place(farm.region, to, arrived.enterprise_id)  # another id where its goods were sold there already


def states(region: Region) -> dict[str, list[str]]:
    """The role and state of all moves, by instance."""
    states: dict[str, list[str]] = {}
    for name, federation in region.members.items():
        with federation.instance.store.read() as tx:
            states[name] = [f"{move.role} {move.state}" for move in moves(tx)]
    return states


def home_of(hub: Hub) -> list[str]:
    """The IRIs at which the hub's instance expects its producers."""
    with hub.read() as tx:
        return [row["iri"] for row in tx.all(select(federation_mirror.c.iri))]


def say(region: Region, origin: str, to: str, type: str, body: Any) -> None:
    """Sends any message from one instance to another."""
    federation = region[origin]
    with federation.instance.store.write() as tx:
        post(federation, tx, region.peer(origin, to).id, type, body)
    region.work()
