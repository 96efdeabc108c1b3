"""An enterprise moves to another instance with its old home's help, and everybody goes on trading with it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from commensal.enterprises.tables import enterprise_member
from commensal.people.tables import person
from commensal.sale_sessions.tables import coordination
from commensal.stock.lots import lots_of
from commensal_federation.moving.coming import accept_move, name_owner
from commensal_federation.moving.leaving import offer_move
from commensal_federation.moving.moves import moves
from commensal_federation.moving.values import MoveRow
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Place, Producer, minutes, sound


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    """The farm lives on a; b sells its goods; c is where it will go."""
    made = new_region("a", "b", "c")
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        made.befriend(one, other)
    return made


@pytest.fixture
def farm(region: Region) -> Producer:
    made = Producer(region, "a")
    with made.write() as tx:
        a_person(tx, "ann")
        tx.execute(insert(enterprise_member), {"enterprise_id": "farm", "person_id": "ann", "role": "owner",
                                               "since": tx.now})  # fmt: skip
        tx.execute(update(coordination).where(coordination.c.id == "farm-sale").values(cancelled_at=tx.now))
    with region["c"].instance.store.write() as tx:
        a_person(tx, "ann-at-c")
    return made


@pytest.fixture
def hub(farm: Producer) -> Hub:
    made = Hub(farm.region, "b")
    farm.grant(made)
    return made


def a_person(tx: Any, id: str) -> None:
    row = {"id": id, "email": f"{id}@example.org", "name": id, "phone": "", "language": "en", "password": "",
           "is_operator": False, "created_at": tx.now, "confirmed_at": tx.now, "version": 1}  # fmt: skip
    tx.execute(insert(person), {name: value for name, value in row.items() if name in person.c})


def offer(farm: Producer, to: str = "c") -> MoveRow:
    """The owner offers the farm to c, where it is noted."""
    with farm.write() as tx:
        offered = offer_move(farm.federation, tx, "farm", farm.region.peer(farm.at, to).id)
    farm.region.work()
    return offered


def accept(region: Region, at: str = "c") -> None:
    """The operator of c and the future owner agree."""
    federation = region[at]
    with federation.instance.store.write() as tx:
        (coming,) = moves(tx, role="coming", states=("offered",))
        name_owner(tx, coming.id, "ann-at-c")
        accept_move(federation, tx, coming.id, "ann-at-c")


def move(farm: Producer, to: str = "c") -> Place:
    """From the offer to where everybody has followed. The farm at its new home."""
    offer(farm, to)
    accept(farm.region, to)
    farm.region.work()
    minutes(farm.region, 3)
    return Place(farm.region, to, "farm")


def states(region: Region) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name, federation in region.members.items():
        with federation.instance.store.read() as tx:
            found[name] = [(one.role, one.state) for one in moves(tx)]
    return found


def test_a_hub_goes_on_selling_after_its_producer_has_moved(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    new = move(farm)
    assert states(farm.region) == {
        "a": [("leaving", "moved")], "b": [("following", "followed")], "c": [("coming", "done")],
    }  # fmt: skip
    hub.order(item, 40, "Bea")  # more than it held: leased from the new home
    with new.read() as tx:
        (lot,) = lots_of(tx, "farm")
        (lease,) = [one for one in tx.all(select(*_lease().c)) if one["role"] == "lender"]
    assert lot.free + lot.lent == 100
    assert lease["granted"] - lease["returned"] >= 43
    with farm.read() as tx:
        (lot,) = lots_of(tx, "farm")
    assert (lot.free, lot.reserved, lot.lent) == (0, 0, 0)
    (offered,) = hub.received(new)
    assert (offered.name, offered.price) == ("Apples", 2000)
    assert [hop.iri for hop in offered.provenance] == [new.iri]
    sound(farm.region)


def _lease() -> Any:
    from commensal_federation.leases.tables import federation_lease

    return federation_lease
