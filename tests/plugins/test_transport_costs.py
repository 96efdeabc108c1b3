"""Rules that share the cost of a round: exact sums, nobody worse off than alone, no gain in appearing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from math import cos, pi, sin
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commensal import RoundParticipant
from commensal_transport.bookings.statements import is_inflated
from commensal_transport.costs.alone import cost, drive_alone
from commensal_transport.costs.cost_rules import avoided_costs
from commensal_transport.costs.law import Party, may_carry, proof
from commensal_transport.costs.sharing import Carried, NoShare, Participant, Round, same_saving, shares, whole_cents
from commensal_transport.places.loads import Load, keeps, room_taken
from commensal_transport.places.routing import Point, Stop, cheapest, crow_flight, driven, length, metres, schedule

NINE = datetime(2026, 6, 11, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_round(alone: list[int], detours: list[int], caps: list[int] | None = None) -> list[Participant]:
    """Participants of whom the first drives; without caps, guests pay at most what driving alone costs."""
    caps = caps or alone[1:]
    return [
        Participant(name=str(number), alone=a, detour=d, cap=cap)
        for number, (a, d, cap) in enumerate(zip(alone, detours, [None, *caps], strict=True))
    ]


def as_told(alone: list[int], detours: list[int]) -> list[RoundParticipant]:
    return [
        RoundParticipant(name=str(number), alone=a, detour=d, is_driver=not number)
        for number, (a, d) in enumerate(zip(alone, detours, strict=True))
    ]


@pytest.mark.parametrize(
    ("total", "alone", "detours", "expected"),
    [
        (5210, [3300, 2750, 1480, 2100], [0, 610, 1190, 240], [1628, 1356, 1190, 1036]),
        (4000, [3000, 2500, 2500], [0, 300, 300], [1500, 1250, 1250]),
        (3000, [2600, 1500, 900], [0, 1200, 800], [1000, 1200, 800]),
    ],
)
def test_the_published_vectors(total: int, alone: list[int], detours: list[int], expected: list[int]) -> None:
    assert list(same_saving(total, a_round(alone, detours)).values()) == expected


@given(some.data())
def test_by_avoided_costs_each_pays_between_their_detour_and_driving_alone(data: some.DataObject) -> None:
    alone = data.draw(some.lists(some.integers(0, 10_000), min_size=1, max_size=8))
    detours = [0, *(data.draw(some.integers(0, a)) for a in alone[1:])]
    total = data.draw(some.integers(sum(detours), sum(alone)))
    owed = avoided_costs(total, as_told(alone, detours))
    assert owed is not None
    assert sum(owed.values()) == total
    assert all(d <= paid <= a for d, paid, a in zip(detours, owed.values(), alone, strict=True))


def test_avoided_costs_of_the_published_vector_and_of_a_round_that_spares_nothing() -> None:
    alone, detours = [3300, 2750, 1480, 2100], [0, 610, 1190, 240]
    owed = avoided_costs(5210, as_told(alone, detours))
    assert owed is not None
    assert list(owed.values()) == [1378, 1504, 1311, 1017]
    assert avoided_costs(9631, as_told(alone, detours)) is None


@given(some.data())
def test_sums_are_exact_and_each_pays_between_their_detour_and_driving_alone(data: some.DataObject) -> None:
    alone = data.draw(some.lists(some.integers(0, 10_000), min_size=1, max_size=8))
    detours = [0, *(data.draw(some.integers(0, a)) for a in alone[1:])]
    total = data.draw(some.integers(sum(detours), sum(alone)))
    owed = same_saving(total, a_round(alone, detours))
    assert sum(owed.values()) == total
    assert all(d <= paid <= a for d, paid, a in zip(detours, owed.values(), alone, strict=True))


def test_a_round_dearer_than_driving_alone_has_no_shares() -> None:
    with pytest.raises(NoShare):
        same_saving(5001, a_round([3000, 2000], [0, 100]))
    with pytest.raises(NoShare):
        shares("by_feeling/1", 4000, a_round([3000, 2000], [0, 100]))


@given(some.data())
def test_nobody_pays_above_their_cap_and_the_sum_stays(data: some.DataObject) -> None:
    alone = data.draw(some.lists(some.integers(0, 10_000), min_size=2, max_size=8))
    detours = [0, *(data.draw(some.integers(0, a)) for a in alone[1:])]
    caps = [data.draw(some.integers(0, a)) for a in alone[1:]]
    total = data.draw(some.integers(sum(detours), sum(alone)))
    owed = shares("same_saving/1", total, a_round(alone, detours, caps))
    assert sum(owed.values()) == total
    assert all(paid <= cap for paid, cap in zip(list(owed.values())[1:], caps, strict=True))


def test_what_a_cap_keeps_off_falls_to_whoever_booked_last() -> None:
    free = shares("same_saving/1", 6000, a_round([4000, 3000, 3000], [0, 0, 0]))
    assert list(free.values()) == [2400, 1800, 1800]
    owed = shares("same_saving/1", 6000, a_round([4000, 3000, 3000], [0, 0, 0], [1500, 3000]))
    assert list(owed.values()) == [2400, 1500, 2100]


def test_turns_cost_guests_nothing_and_a_tariff_never_more_than_alone() -> None:
    members = a_round([4000, 3000], [0, 500])
    assert shares("turns/1", 5000, members) == {"0": 5000, "1": 0}
    posted = [members[0], Participant(name="1", alone=3000, detour=500, tariff=3500, cap=3000)]
    assert shares("tariff/1", 5000, posted) == {"0": 2000, "1": 3000}


@given(some.dictionaries(some.text(max_size=3), some.fractions(0, 1000), min_size=1))
def test_rounding_keeps_the_sum(amounts: dict[str, Fraction]) -> None:
    name = min(amounts)
    amounts[name] += 1 - sum(amounts.values()) % 1
    rounded = whole_cents(amounts)
    assert sum(rounded.values()) == sum(amounts.values())
    assert all(abs(rounded[name] - amount) < 1 for name, amount in amounts.items())


# ------------------------------------------------------------------------------------------------ rounds

_places = some.tuples(some.integers(0, 60), some.integers(0, 60)).map(
    lambda place: Point(Decimal(4700 + place[0]).scaleb(-2), Decimal(50 + place[1]).scaleb(-2))
)


def a_stop(name: str, place: Point, *, opens: datetime = NINE, hours: int = 48, free: Load | None = None) -> Stop:
    return Stop(
        id=name, enterprise_id=name, place=place, opens=opens, closes=opens + hours * HOUR, free=free or Load(9, 99)
    )


def a_carriage(name: str, pickup: Stop, delivery: Stop, cap: int | None = 0) -> Carried:
    return Carried(
        id=name,
        sender_id=name,
        pickup_id=pickup.id,
        delivery_id=delivery.id,
        place=pickup.place,
        destination=delivery.place,
        tariff=0,
        cap=cap,
        booked_at=NINE,
    )


@given(some.lists(_places, min_size=3, max_size=6, unique=True))
def test_splitting_oneself_in_two_never_pays(places: list[Point]) -> None:
    home, hub, *farms = places
    start, delivery, end = a_stop("start", home), a_stop("hub", hub), a_stop("end", home)
    pickups = [a_stop(f"farm {number}", farm) for number, farm in enumerate(farms)]
    guests = [a_carriage(pickup.id, pickup, delivery) for pickup in pickups]
    carried = (a_carriage("own", start, delivery, None), *guests)
    stops = (start, *pickups, delivery, end)
    once = Round(stops=stops, carried=carried, cents_per_km=40, toll=0)
    twice = Round(stops=stops, carried=(*carried, a_carriage("again", pickups[0], delivery)), cents_per_km=40, toll=0)
    assert twice.participants() == once.participants()


@given(some.lists(_places, min_size=2, max_size=5, unique=True))
def test_driving_alone_takes_the_best_order(places: list[Point]) -> None:
    home, *others = places
    best = min(length([home, *order, home]) for order in permutations(others))
    assert drive_alone(home, others).metres == best
    assert drive_alone(home, others, 40).cents == cost(best, 40)


@pytest.mark.parametrize("count", [8, 11, 12, 20])
def test_driving_alone_round_a_circle_follows_the_circle(count: int) -> None:
    """The shortest tour of places on a circle is the circle; beyond twelve places a tour is an estimate and says so."""
    angles = [2 * pi * number / (count + 1) for number in range(count + 1)]
    home, *others = (Point(Decimal(round(45 + sin(a) / 10, 6)), Decimal(round(5 + cos(a) / 7, 6))) for a in angles)
    tour = drive_alone(home, others[::2] + others[1::2])
    assert tour.metres <= length([home, *others, home])
    assert tour.is_estimate == (count > 12)


@given(some.lists(_places, min_size=3, max_size=6, unique=True))
def test_an_insertion_is_the_cheapest_of_all_orders_that_keep_the_stops(places: list[Point]) -> None:
    pick, drop, home, *others = places
    stops = [a_stop("start", home), *(a_stop(str(n), place) for n, place in enumerate(others)), a_stop("end", home)]
    pickup, delivery = a_stop("pick", pick), a_stop("drop", drop)
    insertion = cheapest(stops, pickup, delivery, Load(1, 1))
    assert not isinstance(insertion, str)
    names = [stop.id for stop in stops]
    orders = (
        [
            order
            for order in permutations([*stops, pickup, delivery])
            if [stop.id for stop in order if stop.id in names] == names
            and order[0].id == "start"
            and order[-1].id == "end"
            and [stop.id for stop in order if stop.id not in names] == ["pick", "drop"]
        ]
        if len(stops) < 5
        else []
    )
    assert not orders or metres(insertion.stops) == min(metres(order) for order in orders)


def test_room_is_counted_on_each_leg_alone() -> None:
    places = [Point(Decimal(f"47.{n}0"), Decimal("0.50")) for n in range(1, 5)]
    stops = [a_stop(str(n), place, free=Load(5 if n == 1 else 0, 50)) for n, place in enumerate(places)]
    across = (a_stop("a", places[0]), a_stop("b", places[3]))
    assert cheapest(stops, *across, Load(6, 1)) == "full"
    twice = cheapest(stops, *across, Load(1, 1))
    assert not isinstance(twice, str)
    assert metres(twice.stops) > metres(stops), "the van would have to come back for it"
    insertion = cheapest(stops, a_stop("a", places[1]), a_stop("b", places[2]), Load(5, 1))
    assert not isinstance(insertion, str)
    assert [stop.free.crates for stop in insertion.stops] == [0, 0, 0, 0], "no second stop at the same place"
    heavy = cheapest(stops, a_stop("a", places[1]), a_stop("b", places[2]), Load(1, 51))
    assert heavy == "full", "kilograms bind before crates"


def test_a_stop_that_would_come_late_is_refused_and_waiting_is_counted_once() -> None:
    near, far = Point(Decimal("47.10"), Decimal("0.50")), Point(Decimal("47.50"), Decimal("0.50"))
    stops = [a_stop("start", near), a_stop("hub", far, opens=NINE + 3 * HOUR, hours=1), a_stop("end", near)]
    moments = schedule(stops)
    assert moments is not None
    assert moments[1] == NINE + 3 * HOUR
    late = a_stop("late", Point(Decimal("47.30"), Decimal("0.50")), hours=0)
    assert cheapest(stops, late, stops[1], Load(1, 1)) == "time"


def test_distances_and_what_may_travel_together() -> None:
    paris, lyon = Point(Decimal("48.8566"), Decimal("2.3522")), Point(Decimal("45.7640"), Decimal("4.8357"))
    assert abs(crow_flight(paris, lyon) - 391_500) < 1000
    assert driven(paris, lyon) == round(crow_flight(paris, lyon) * 1.3)
    assert keeps("cold4", "cool8")
    assert not keeps("cool8", "cold4")
    assert not keeps("frozen", "cold4")
    assert room_taken(5, 40, "cold4", own_boxes=True) == Load(8, 40, 0)
    assert room_taken(5, 40, "cold4", own_boxes=False) == Load(5, 40, 5)


def test_each_legal_basis_has_its_condition() -> None:
    farm, hub = Party(is_farm=True), Party()
    near = [Point(Decimal("47.0"), Decimal("0.5")), Point(Decimal("47.8"), Decimal("0.5"))]
    far = [near[0], Point(Decimal("47.92"), Decimal("0.5"))]  # 102 km
    assert may_carry("farm_help", "", farm, near)
    assert not may_carry("farm_help", "", farm, far)
    assert not may_carry("farm_help", "", hub, near)
    assert proof("farm_help", hub) is None
    assert proof("hire", hub) is None
    assert may_carry("group", "CUMA", Party(group="CUMA"), far)
    assert not may_carry("group", "CUMA", hub, near)
    assert not may_carry("own_account", "", farm, near)


def test_a_quote_for_a_long_round_is_quick() -> None:
    """Twenty stops, the most that a trip has before it takes another load: 210 insertions of 22 stops."""
    places = [Point(Decimal(4700 + n * 3).scaleb(-2), Decimal(50 + n % 7).scaleb(-2)) for n in range(22)]
    stops = [a_stop(str(n), place, hours=48) for n, place in enumerate(places[:20])]
    begins = process_time()
    insertion = cheapest(stops, a_stop("pick", places[20]), a_stop("drop", places[21]), Load(1, 1))
    assert not isinstance(insertion, str)
    assert process_time() - begins < 0.25


def test_an_honest_round_of_a_few_kilometres_is_not_taken_for_inflated() -> None:
    """Its stops are told to a kilometre, which changes the length of a short round most."""
    random = Random(1)
    rounds = [
        [Point(*(Decimal(middle + random.randint(-270, 270)) / 10_000 for middle in (475_600, 7_100))) for _ in "123"]
        for _ in range(2_000)
    ]
    closed = [[*places, places[0]] for places in rounds]
    disputed = [places for places in closed if is_inflated(length(places), [place.rounded() for place in places])]
    assert len(disputed) <= 2
    assert all(is_inflated(length(places) * 2 + 3_000, [place.rounded() for place in places]) for places in closed)
