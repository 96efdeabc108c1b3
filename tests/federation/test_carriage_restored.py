"""An instance that carries, or has goods carried, is restored from a backup that knows nothing of the booking."""

from __future__ import annotations

from pathlib import Path

import pytest

from .carrying import open_road
from .conftest import NewRegion
from .restoring import Backup
from .test_carriage_counts import counted, driven, outcome, says
from .trading import minutes


def test_a_carriers_instance_gets_its_booking_back_and_goes_on_counting(new_region: NewRegion, tmp_path: Path) -> None:
    road = open_road(new_region)
    trip = road.offer()
    backup = Backup(road.mill, tmp_path)
    booking = road.book()
    road.report(road.mill, road.guest_of(trip), "pick_up")
    backup.restore()
    minutes(road.region, 5)
    assert road.guest_of(trip).state == "confirmed", "that it was loaded is forgotten"
    assert [stop.free.crates for stop in road.trip(trip).stops] == [37, 37 - booking.crates, 40, 40]
    road.report(road.mill, road.guest_of(trip), "fail")
    assert [other.state for other in road.bookings(road.farm)] == ["cancelled_by_carrier"]


def test_a_restored_carrier_says_anew_that_it_comes(new_region: NewRegion, tmp_path: Path) -> None:
    road = open_road(new_region)
    trip = road.offer()
    road.book()
    backup = Backup(road.mill, tmp_path)
    road.report(road.mill, road.guest_of(trip), "no_goods")
    assert [booking.state for booking in road.bookings(road.farm)] == ["no_show"]
    backup.restore()
    minutes(road.region, 5)
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]


def test_a_booking_that_a_restored_instance_has_forgotten_is_cancelled_at_the_carriers(
    new_region: NewRegion, tmp_path: Path
) -> None:
    road = open_road(new_region)
    trip = road.offer()
    backup = Backup(road.farm, tmp_path)
    road.book()
    backup.restore()
    minutes(road.region, 5)
    assert road.guest_of(trip).state == "cancelled_free"
    assert road.bookings(road.farm) == []
    road.book()
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]


@pytest.mark.long
@pytest.mark.parametrize("restored", ["farm", "mill"])
def test_what_both_sides_had_said_about_their_counts_comes_back(
    new_region: NewRegion, tmp_path: Path, restored: str
) -> None:
    road = open_road(new_region)
    guest = driven(road, 3, 2)
    (here,) = road.bookings(road.farm)
    backup = Backup(road.farm if restored == "farm" else road.mill, tmp_path)
    says(road, road.farm, here, 2, None)
    says(road, road.mill, guest, 3, 2, why="lost")
    road.region.work()
    before = outcome(counted(road, road.farm, here))
    assert before == outcome(counted(road, road.mill, guest))
    backup.restore()
    minutes(road.region, 5)
    assert [outcome(counted(road, *side)) for side in ((road.farm, here), (road.mill, guest))] == [before] * 2
    says(road, road.farm, here, 3, None, why="recounted")
    road.region.work()
    assert counted(road, road.mill, guest).sender == 3, "numbers go on"
