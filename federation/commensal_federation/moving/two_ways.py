"""Where copies go when their producer moves, also when the same goods came here through a hub at the new home already.

Then there are two copies here of what is one thing from now on. A product is copied once: the producer's own way stays,
and the reseller withdraws its items, since it lives beside the producer. Of a lot there are two leases here, each with
counts that are right, messages under way, and perhaps stock lent on. Both go on: the lease with the old home is kept
apart at the new one (`leases.joined`), and is used up, because the producer's products take from the other lot as soon
as the new home has sent its catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, select

from commensal import Row, Transaction

from ..catalogue.tables import federation_copy
from ..dfc.iris import local_id, lot_iri, product_iri
from ..leases.joined import adopt_lots, id_apart

_copy = federation_copy.c


@dataclass(frozen=True)
class MovedThing:
    """A product or lot of an enterprise that moves: its id here, and its id at the old home."""

    id: str
    kind: Literal["product", "lot"]
    old_id: str

    @classmethod
    def of(cls, copy: Row, old_base: str) -> MovedThing | None:
        """Reads a copy's row; None for a thing that is not of the old home."""
        old_id = local_id(old_base, copy["iri"], "supplied_products" if copy["kind"] == "product" else "stocks")
        return None if old_id is None else cls(copy["local_id"], copy["kind"], old_id)


@dataclass(frozen=True)
class PlacedCopies:
    """Addresses at the new home by ids here, and the ids at the old home of lots whose lease is kept apart."""

    iris: Mapping[str, str]
    apart: tuple[str, ...]


def place_copies(
    tx: Transaction, mirror: str, base: str, things: Sequence[MovedThing], renamed: Mapping[str, str], epoch: int
) -> PlacedCopies:
    """Returns where the things are at the new home (`base`), and makes room for them among the copies here.

    mirror:   the moving enterprise's copy here; lots that a reseller's copy had are its own from now on
    renamed:  ids at the new home by ids at the old one, where they differ
    epoch:    the authority epoch that begins with the move
    """
    iris = {thing.id: _iri(base, thing, renamed.get(thing.old_id, thing.old_id)) for thing in things}
    taken = {
        row["iri"]: row["local_id"]
        for row in tx.all(select(_copy.iri, _copy.local_id).where(_copy.iri.in_(sorted(iris.values()))))
        if row["local_id"] not in iris
    }
    twins = [thing for thing in things if iris[thing.id] in taken]
    products = [iris[thing.id] for thing in twins if thing.kind == "product"]
    tx.execute(delete(federation_copy).where(_copy.iri.in_(products)))
    lots = [thing for thing in twins if thing.kind == "lot"]
    lot_ids = [taken[iris[thing.id]] for thing in lots]
    adopt_lots(tx, lot_ids, mirror)
    apart = {thing.id: lot_iri(base, id_apart(thing.old_id, epoch)) for thing in lots}
    return PlacedCopies({**iris, **apart}, tuple(sorted(thing.old_id for thing in lots)))


def _iri(base: str, thing: MovedThing, id: str) -> str:
    return product_iri(base, id) if thing.kind == "product" else lot_iri(base, id)
