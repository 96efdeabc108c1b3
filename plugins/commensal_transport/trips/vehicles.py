"""Vehicles of an enterprise: how much they carry, what they keep cold, and what a kilometre costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from commensal import Amount, Conflict, Invalid, Problem, Transaction, edit_row, read_text

from ..costs.alone import CENTS_PER_KM
from ..places.loads import CLASSES, MOST_CRATES, MOST_KG, Keeping, Load
from ..tables import transport_vehicle

MOST_VEHICLES = 50  # of one enterprise, without the archived ones
DEAREST = 1_000  # cents per kilometre

_vehicle = transport_vehicle.c


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """`crates` are of 600 × 400 mm, `cold` those among them that it keeps at the class `keeping`."""

    id: str
    enterprise_id: str
    name: str
    crates: int
    kg: int
    cold: int
    keeping: Keeping
    cents_per_km: Amount
    archived_at: datetime | None
    version: int

    @property
    def room(self) -> Load:
        return Load(self.crates, self.kg, self.cold)


def add_vehicle(
    tx: Transaction,
    enterprise_id: str,
    *,
    name: str,
    crates: int,
    kg: int,
    cold: int = 0,
    keeping: Keeping = "ambient",
    cents_per_km: int = CENTS_PER_KM,
) -> Vehicle:
    """Adds a vehicle. Raises `Invalid` with every mistake, and `Conflict` if there are too many."""
    problems: list[Problem] = []
    name = read_text(name, "/name", problems, least=1, most=100)
    if not 1 <= crates <= MOST_CRATES:
        text = "A vehicle carries between 1 and {most} crates."
        problems.append(Problem("crates", text, "/crates", {"most": MOST_CRATES}))
    if not 1 <= kg <= MOST_KG:
        problems.append(Problem("kg", "A vehicle carries between 1 and {most} kg.", "/kg", {"most": MOST_KG}))
    if not 0 <= cold <= crates:
        problems.append(Problem("cold", "At most all of its crates are kept cold.", "/cold"))
    if (cold > 0) != (keeping != "ambient") or keeping not in CLASSES:
        problems.append(
            Problem("keeping", "Say how cold the cold places are kept, and how many there are.", "/keeping")
        )
    if not 0 <= cents_per_km <= DEAREST:
        problems.append(Problem("cents_per_km", "A kilometre costs at most 10 euros.", "/cents_per_km"))
    if problems:
        raise Invalid(problems)
    count = select(func.count()).where(_vehicle.enterprise_id == enterprise_id, _vehicle.archived_at.is_(None))
    if tx.value(count) >= MOST_VEHICLES:
        text = "There are {most} vehicles already; archive one first."
        raise Conflict("too_many_vehicles", text, most=MOST_VEHICLES)
    vehicle = Vehicle(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        name=name,
        crates=crates,
        kg=kg,
        cold=cold,
        keeping=keeping,
        cents_per_km=cents_per_km,
        archived_at=None,
        version=1,
    )
    tx.execute(insert(transport_vehicle).values(asdict(vehicle)))
    return vehicle


def archive_vehicle(tx: Transaction, enterprise_id: str, vehicle_id: str, version: int) -> None:
    """The vehicle makes no new trips; those that are planned stay. Raises `NotFound`, `Stale`."""
    where = (_vehicle.id == vehicle_id, _vehicle.enterprise_id == enterprise_id)
    edit_row(tx, transport_vehicle, *where, version=version, values={"archived_at": tx.now})


def vehicle_by_id(tx: Transaction, enterprise_id: str, vehicle_id: str) -> Vehicle:
    """The enterprise's vehicle. Raises `NotFound`, also for one of another enterprise."""
    where = (_vehicle.id == vehicle_id, _vehicle.enterprise_id == enterprise_id)
    return Vehicle(**tx.one(select(transport_vehicle).where(*where)))


def any_vehicle(tx: Transaction, vehicle_id: str) -> Vehicle:
    """The vehicle, also an archived one. Checks no permission. Raises `NotFound`."""
    return Vehicle(**tx.one(select(transport_vehicle).where(_vehicle.id == vehicle_id)))


def vehicles_by_id(tx: Transaction, enterprise_id: str, ids: Collection[str]) -> dict[str, Vehicle]:
    """The enterprise's vehicles among these ids, archived ones included."""
    where = (_vehicle.enterprise_id == enterprise_id, _vehicle.id.in_(ids))
    return {row["id"]: Vehicle(**row) for row in tx.all(select(transport_vehicle).where(*where))} if ids else {}


def vehicles_of(tx: Transaction, enterprise_id: str) -> Sequence[Vehicle]:
    """The enterprise's vehicles that are not archived, by name."""
    where = (_vehicle.enterprise_id == enterprise_id, _vehicle.archived_at.is_(None))
    rows = tx.all(select(transport_vehicle).where(*where).order_by(_vehicle.name, _vehicle.id).limit(MOST_VEHICLES))
    return [Vehicle(**row) for row in rows]
