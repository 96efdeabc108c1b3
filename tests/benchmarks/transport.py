"""Kilometres that pooled transport saves in the demo region: ``python -m tests.benchmarks.transport [scale]``.

Every producer of the region brings one order to each of its hubs, all on one morning. The farthest begin: each asks all
trips for prices, by the commands that the pages use, books where that costs less than driving alone, and otherwise
drives and offers the room that is left. One pass; nobody changes their mind. On SQLite.

With ``plan`` as the second argument each hub in turn has rounds planned for what comes to it instead, and everybody
accepts; whoever is in no round drives alone. That takes the extra `routing`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert

from commensal import Conflict, Transaction
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.demo.region import draw_region
from commensal.sale_sessions.tables import coordination_supplier
from commensal.storage.jobs import Job
from commensal.testing.instances import NOON, Instances, Plan
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_transport.bookings.bookings import (
    book,
    bookings_of_trip,
    bookings_of_trips,
    carried_keys,
    carried_on,
    offer_trip,
    report,
)
from commensal_transport.bookings.quotes import quotes
from commensal_transport.bookings.statements import finish_trip, mistakes_of
from commensal_transport.costs.alone import drive_alone, grams_co2e
from commensal_transport.costs.law import Party
from commensal_transport.places.routing import driven, metres
from commensal_transport.planning.proposals import answer_proposal, ask_for_plan, make_plan, newest_plan, rounds_of_plan
from commensal_transport.trips.needs import Need, needs_of
from commensal_transport.trips.trips import TripTerms, bookable_trips, trips_of
from commensal_transport.trips.vehicles import add_vehicle, vehicles_of

FARM = Party(is_farm=True)
_clock = time.process_time


class TooDear(Exception):
    """Driving alone costs less."""


def open_region(instance: Instance, scale: int) -> list[str]:
    """Writes hubs, producers and orders of the demo region, with 5 kg of each producer at each of its hubs. Returns the
    producers, the farthest first."""
    region = draw_region(7, scale)
    with instance.store.write() as tx:
        for number, drawn in enumerate(region.hubs):
            a_shop(tx, f"hub{number}", latitude=drawn.place.latitude, longitude=drawn.place.longitude)
        items: dict[str, dict[str, int]] = {f"hub{number}": {} for number in range(len(region.hubs))}
        for number, producer in enumerate(region.producers):
            farm, place = f"farm{number}", producer.place
            kind = {"is_producer": True, "is_hub": False}
            a_shop(tx, farm, latitude=place.latitude, longitude=place.longitude, **kind)
            goods = a_lot(tx, farm, unit="Kilogram", on_hand="1000")
            for hub_number in producer.hubs:
                hub = f"hub{hub_number}"
                item = an_item(
                    tx, goods, hub, enterprise_id=farm, grains=5000, quantity=Decimal(5), unit="Kilogram", name=farm
                )
                items[hub][item] = 6
                tx.execute(insert(coordination_supplier).values(coordination_id=f"{hub}-sale", enterprise_id=farm))
            values = {"plugin": "transport", "settings": {"is_farm": True}, "version": 1}
            tx.execute(insert(enterprise_plugin).values(enterprise_id=farm, **values))
            add_vehicle(tx, farm, name="Van", crates=60, kg=700)
        for hub, wanted in items.items():
            wish = Wish(items=wanted, name="Ada", email="ada@example.org", language="en")
            place_order(tx, instance.hooks, f"{hub}-session", wish)
    return [f"farm{number}" for number in range(len(region.producers))]


def alone_of(needs: Sequence[Need]) -> tuple[int, int]:
    """Metres and cents of one drive with all of these."""
    home = needs[0].home
    places = [need.destination for need in needs if need.destination]
    assert home is not None
    tour = drive_alone(home, places)
    return tour.metres, tour.cents


def join(tx: Transaction, instance: Instance, farm: str, needs: Sequence[Need], limit: int, spent: list[float]) -> None:
    """Books each need at its cheapest trip. Raises `TooDear` if all together cost as much as driving, or do not fit."""
    cost = 0
    for need in needs:
        begins = _clock()
        trips = bookable_trips(tx, but_of=farm)
        bookings = bookings_of_trips(tx, [trip.id for trip in trips])
        carried = {trip.id: carried_on(trip, bookings[trip.id]) for trip in trips}
        offered, _ = quotes(tx, trips, carried, need, FARM)
        spent.append(_clock() - begins)
        if not offered or cost + offered[0].price >= limit:
            raise TooDear
        cost += book(tx, instance.hooks, farm, need.key, offered[0].trip.id, price=offered[0].price).cap or 0


def drive(tx: Transaction, instance: Instance, farm: str, needs: Sequence[Need]) -> None:
    """Offers a trip of its own, as early as is needed to reach the first hub when it opens."""
    first = min(needs, key=lambda need: need.opens)
    assert first.home is not None
    assert first.destination is not None
    early = timedelta(hours=2, seconds=driven(first.home, first.destination) / 12)
    (vehicle,) = vehicles_of(tx, farm)
    terms = TripTerms(
        vehicle_id=vehicle.id,
        starts_at=first.opens - early,
        ends_at=first.closes + timedelta(hours=4),
        book_until=tx.now + timedelta(minutes=30),
    )
    offer_trip(tx, instance.hooks, farm, terms, [need.key for need in needs])


def settle(tx: Transaction, farm: str) -> tuple[int, int]:
    """Drives the farm's trip and writes its statement. Returns its metres, and how many ride along."""
    (trip,) = trips_of(tx, farm, since=tx.now)
    bookings = bookings_of_trip(tx, trip.id)
    for booking in bookings:
        report(tx, farm, booking.id, "pick_up")
        report(tx, farm, booking.id, "deliver")
    statement = finish_trip(tx, farm, trip.id)
    assert mistakes_of(statement.content) == []
    for booking in bookings:
        assert booking.cap is None or statement.shares[booking.id][1] <= booking.cap <= booking.alone
    return metres(trip.stops), len({booking.sender_id for booking in bookings}) - 1


def plan_by_hubs(instance: Instance, hubs: Sequence[str]) -> list[float]:
    """Each hub proposes rounds, which all accept, the drivers first. Returns the seconds of each plan."""
    spent = []
    for hub in hubs:
        with instance.store.write() as tx:
            ask_for_plan(tx, hub)
            plan = newest_plan(tx, hub)
        assert plan is not None
        begins = time.monotonic()
        make_plan(instance, Job(plan.id, "transport.plan", {"plan": plan.id, "hub": hub}, 1))
        spent.append(time.monotonic() - begins)
        with instance.store.read() as tx:
            proposals = [each for goods in rounds_of_plan(tx, plan.id) for each in goods]
        for each in proposals:
            with suppress(Conflict), instance.store.write() as tx:  # one's other goods went with the first answer
                answer_proposal(tx, instance.hooks, each.enterprise_id, each.id, accepts=True)
    return spent


def report_plans(instance: Instance, farms: Sequence[str], hubs: Sequence[str]) -> None:
    with instance.store.read() as tx:
        needs = {farm: needs_of(tx, instance.hooks, farm) for farm in farms}
    before = sum(alone_of(mine)[0] for mine in needs.values() if mine)
    spent = plan_by_hubs(instance, hubs)
    with instance.store.read() as tx:
        trips = [trip for farm in farms for trip in trips_of(tx, farm, since=tx.now)]
        left = {farm: [need for need in needs[farm] if need.key not in carried_keys(tx, farm)] for farm in farms}
    after = sum(metres(trip.stops) for trip in trips) + sum(alone_of(mine)[0] for mine in left.values() if mine)
    print(f"farms {len(farms)}, hubs {len(hubs)}, trips {len(trips)}, alone {sum(map(bool, left.values()))}")
    print(f"km alone {before // 1000}, km planned {after // 1000}, saved {100 * (before - after) / before:.0f} %")
    print(f"a plan takes {statistics.median(spent):.1f} s, at most {max(spent):.1f} s")


def main() -> None:
    scale = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(NOON)
        instance = Instances(Path(folder)).open(Path(folder) / "one", Plan(plugins=("transport",)), clock=clock)
        farms = open_region(instance, scale)
        clock.advance(days=1, minutes=1)
        if sys.argv[2:] == ["plan"]:
            report_plans(instance, farms, [f"hub{number}" for number in range(len(draw_region(7, scale).hubs))])
            instance.close()
            return
        with instance.store.read() as tx:
            needs = {farm: needs_of(tx, instance.hooks, farm) for farm in farms}
        alone = {farm: alone_of(needs[farm]) for farm in farms if needs[farm]}
        drivers, spent = list[str](), list[float]()
        for farm in sorted(alone, key=lambda farm: -alone[farm][0]):
            try:
                with instance.store.write() as tx:
                    join(tx, instance, farm, needs[farm], alone[farm][1], spent)
            except (TooDear, Conflict):
                with instance.store.write() as tx:
                    drive(tx, instance, farm, needs[farm])
                drivers.append(farm)
        with instance.store.write() as tx:
            rounds = [settle(tx, farm) for farm in drivers]
        instance.close()
    before, after = sum(pair[0] for pair in alone.values()), sum(pair[0] for pair in rounds)
    print(f"farms {len(alone)}, trips {len(drivers)}, guests {sum(pair[1] for pair in rounds)}")
    print(f"km alone {before // 1000}, km pooled {after // 1000}, saved {100 * (before - after) / before:.0f} %")
    print(f"kg CO2e saved {grams_co2e(before - after) // 1000}")
    print(
        f"quotes of all trips for a need, p95: {statistics.quantiles(spent, n=20)[-1] * 1000:.0f} ms, of {len(spent)}"
    )


if __name__ == "__main__":
    main()
