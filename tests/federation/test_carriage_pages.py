"""Pages of transport between instances: a price elsewhere is booked with one click, and everybody reads what comes."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import delete

from commensal_transport.news import ask_others
from commensal_transport.tables import transport_quote

from .carrying import Road, open_road
from .conftest import NewRegion
from .test_office_pages import opens
from .trading import clock_of, minutes


@pytest.fixture
def road(new_region: NewRegion) -> Road:
    return open_road(new_region, "office")


def test_a_trip_elsewhere_is_booked_driven_and_settled_by_pages(road: Road) -> None:
    farm = opens(road.farm)
    assert "Nobody passes by yet" in farm.go("/office/farm/transport").text
    assert "Alone: 61 km" in farm.page.text, "its instance has been asked where the hub is"
    trip = road.offer()
    assert "Mill (Instance B)" in farm.go("/office/farm/transport").text, "its instance has asked by itself"
    farm.send("?then=book")
    assert "Ordered. The other site answers in a moment" in farm.page.text
    assert "Mill (Instance B) has not answered yet" in farm.page.text
    road.settings(road.farm, is_farm=True, access="Gate code 4711")
    road.settings(road.mill, is_farm=True, phone="06 39 98 00 01")
    minutes(road.region, 2)
    assert re.search("comes .*06 39 98 00 01", farm.go("/office/farm/transport").text)

    mill = opens(road.mill, email="bea@example.org")
    sheet = mill.go(f"/office/mill/transport/trips/{trip.id}").text
    assert "owner: farm (Instance A)" in sheet
    assert "To get in Gate code 4711" in sheet
    assert "farm (Instance A) · " in opens(road.hub, email="cem@example.org").go("/office/near/transport").text
    road.report(road.mill, road.guest_of(trip), "pick_up", crates=1, celsius=Decimal("3.5"))
    assert "loaded: 1 crate, at 3.5 °C" in opens(road.hub, email="dan@example.org").go("/office/near/transport").text
    statement = road.drive(trip)
    farm.go("/office/farm/transport")
    (url,) = [link for link in farm.page.links() if "/statements/" in link]
    pages = [farm.go(url).text, mill.go(f"/office/mill/transport/statements/{trip.id}").text]
    assert [re.findall("[0-9a-f]{16}", page) for page in pages] == [[statement.digest[8:24]]] * 2
    assert "You owe Mill (Instance B)" in pages[0]
    assert "Compared: the same is read at Instance A." in pages[1]


def test_what_a_carrier_elsewhere_refuses_is_said_with_the_reason(road: Road) -> None:
    farm = opens(road.farm)
    road.offer()
    road.region.cut("a", "b")
    with road.farm.write() as tx:
        tx.execute(delete(transport_quote))
        ask_others(tx, "farm")
    road.region.work()
    assert "Also on the road: Mill (Instance B). Their price comes" in farm.go("/office/farm/transport").text
    road.region.mend()
    clock_of(road.region).advance(minutes=11)
    minutes(road.region)
    road.ask()
    road.settings(road.mill, is_farm=True, offered_to="nobody")
    road.book()
    assert (
        "Mill (Instance B) did not take it along: This trip takes no more bookings."
        in farm.go("/office/farm/transport").text
    )


def test_a_carrier_calls_its_trip_off_on_its_page_and_its_guest_elsewhere_is_mailed_and_looks_for_another_way(
    road: Road,
) -> None:
    farm, mill = opens(road.farm), opens(road.mill, email="bea@example.org")
    trip = road.offer()
    road.book()
    assert "Mill (Instance B) comes" in farm.go("/office/farm/transport").text
    mill.go(f"/office/mill/transport/trips/{trip.id}?ask=cancel")
    assert "Whoever has booked must look for another way." in mill.page.text
    mill.send("/change", ("then", "cancel"))
    minutes(road.region, 2)
    assert [booking.state for booking in road.bookings(road.farm)] == ["cancelled_by_carrier"]
    assert road.news(road.farm)[-1] == "Mill ne roule pas"
    assert "Nobody passes by yet. I drive anyway" in farm.go("/office/farm/transport").text
