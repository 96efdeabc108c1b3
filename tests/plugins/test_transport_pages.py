"""Pages of transport in the office: the week, a trip in three taps, a booking, the run sheet and the statement."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from hashlib import sha256

import PIL.Image
import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.plugins import disable_plugin
from commensal.enterprises.tables import enterprise_member
from commensal.instance import Instance
from commensal.people.people import add_person, new_person
from commensal.storage.jobs.tables import job
from commensal_transport.bookings import photos
from commensal_transport.bookings.bookings import counted_of
from commensal_transport.bookings.photos import KEPT, digests_of
from commensal_transport.bookings.recurring import series_of
from commensal_transport.bookings.statements import finish_trip
from commensal_transport.forgetting import forget_old
from commensal_transport.tables import transport_event, transport_photo

from .conftest import PASSWORD, Browser
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def member(valley: Valley, client: TestClient, enterprise: str, role: str = "owner", language: str = "en") -> Browser:
    """The browser of somebody who works there, logged in."""
    email = f"{role}@{enterprise}.example.org"
    noe = new_person(email=email, name="Noé", password=PASSWORD, language=language)
    with valley.store.write() as tx:
        person = add_person(tx, noe, confirmed=True)
        assert person is not None
        row = {"enterprise_id": enterprise, "person_id": person.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
    browser = Browser(TestClient(client.app, raise_server_exceptions=False))
    browser.log_in(email)
    return browser


def test_a_trip_is_offered_in_three_taps_booked_driven_and_settled(valley: Valley, client: TestClient) -> None:
    gardener, baker = member(valley, client, "gardener"), member(valley, client, "baker")
    valley.vehicle()
    assert "/office/gardener/transport" in gardener.go("/office/gardener/bring").links()
    gardener.go("/office/gardener/transport")
    assert "Alone: 61 km" in gardener.page.text
    assert "/office/gardener/transport/drive" in gardener.page.links()
    gardener.go("/office/gardener/transport/drive")
    gardener.send("/drive")
    assert "Offered" in gardener.page.text, gardener.page.text
    trip_url = gardener.at.partition("?")[0]

    baker.go("/office/baker/transport")
    assert "Gardener" in baker.page.text
    baker.send("?then=book")
    assert "Booked: the van comes" in baker.page.text
    assert "You pay" in baker.page.text
    with valley.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    (mail,) = [mail for mail in mails if mail["kind"] == "transport_news"]
    assert (mail["to"], mail["values"]["news"]) == ("gardener@example.org", "booked")

    gardener.go(trip_url)
    assert "Help between farms, free but for shared costs" in gardener.page.text
    assert "owner: Baker" in gardener.page.text
    for event in ("pick_up", "pick_up", "deliver", "deliver"):
        form = next(form for form in gardener.page.forms if "booking" in form.fields)
        gardener.post(form.action, **form.fields, event=event)
        assert "Noted" in gardener.page.text, gardener.page.text
    gardener.send("/change", ("then", "finish"))
    assert "The statement is written" in gardener.page.text

    statement_url = trip_url.replace("/trips/", "/statements/").replace("/gardener/", "/baker/")
    assert statement_url in baker.go("/office/baker/transport").links()
    baker.go(statement_url)
    assert "You owe Gardener" in baker.page.text
    assert "2 – you" in baker.page.text
    assert "Gardener" in baker.go("/office/baker/transport/balance").text
    assert "your turn" in baker.page.text


def test_a_map_without_tiles_shows_ones_own_ways_and_names_its_places(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    gardener = member(valley, client, "gardener").go("/office/gardener/transport")
    drawn = [attributes for tag, attributes in gardener.elements if tag in ("svg", "polyline")]
    assert drawn[0]["role"] == "img"
    assert drawn[0]["aria-label"] == "The places below, and the ways of your trips"
    corners = [tuple(map(float, corner.split(","))) for corner in drawn[1]["points"].split()]
    home, baker, hub, end = corners
    assert home == end
    assert home[1] < baker[1] < hub[1], "north is above"
    assert re.search(r"\d+ km ?1 Gardener ?2 Halle ?3 Baker", gardener.text), "the places in words"

    dairy = member(valley, client, "dairy").go("/office/dairy/transport")
    assert re.search(r"\d+ km ?1 Dairy ?2 Halle", dairy.text)
    assert not [tag for tag, _ in dairy.elements if tag == "polyline"], "the way of others is theirs to see"


def test_empty_crates_are_counted_at_a_stop_and_read_by_the_hub(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    gardener = member(valley, client, "gardener")
    path = f"/office/gardener/transport/trips/{trip.id}"
    for event, empties in (("pick_up", "4"), ("deliver", "7")):
        booking = next(booking for booking in valley.bookings(trip) if not booking.is_own)
        gardener.go(path)
        gardener.post(path, booking=booking.id, event=event, empties=empties)
    with valley.store.read() as tx:
        rows = tx.all(select(transport_event.c.event, transport_event.c.empties))
    assert [(row["event"], row["empties"]) for row in rows] == [("pick_up", 4), ("deliver", 7)]
    hub = member(valley, client, "shop")
    assert "7 empty crates taken along" in hub.go("/office/shop/transport").text
    balances = [("gardener", "Halle707"), ("gardener", "Baker04-4"), ("gardener", "Total743")]
    balances += [("shop", "Gardener07-7"), ("baker", "Gardener404")]
    browsers = {"gardener": gardener, "shop": hub, "baker": member(valley, client, "baker")}
    for farm, line in balances:
        assert line in browsers[farm].go(f"/office/{farm}/transport/balance").text, (farm, line)


def test_a_photograph_of_damage_is_shown_to_both_sides_without_where_it_was_taken(
    valley: Valley, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    booking = next(booking for booking in valley.bookings(trip) if not booking.is_own)
    gardener, baker = member(valley, client, "gardener"), member(valley, client, "baker")
    sheet = f"/office/gardener/transport/trips/{trip.id}"
    assert "Photographs" not in gardener.go(sheet).text, "nothing is loaded"
    valley.report("gardener", booking, "pick_up", crates=3)

    def adds(color: str) -> str:
        metadata = PIL.Image.Exif()
        metadata[271] = "maker of the telephone"
        file = io.BytesIO()
        PIL.Image.new("RGB", (40, 30), color).save(file, "JPEG", exif=metadata)
        assert b"maker of the telephone" in file.getvalue()
        form = {"booking": booking.id, "note": "Two lettuces are crushed"}
        answer = gardener.client.post(f"{sheet}/photo", data=form, files={"file": ("a.jpg", file.getvalue())})
        return answer.text

    assert "see the photograph, for a month" in adds("red")
    note = baker.go(f"/office/baker/transport/loads/{booking.id}")
    assert "Two lettuces are crushed" in note.text
    (url,) = {attributes["src"] for tag, attributes in note.elements if "/photos/" in attributes.get("src", "")}
    picture = baker.client.get(url)
    assert (picture.headers["content-type"], b"maker of" in picture.content) == ("image/webp", False)
    assert sha256(picture.content).hexdigest() == url.rpartition("/")[2]
    stranger = member(valley, client, "dairy").client
    assert stranger.get(url.replace("/office/baker/", "/office/dairy/")).status_code == 404
    assert "see the photograph" in adds("red"), "sent twice, it counts once"
    with valley.store.read() as tx:
        assert len(digests_of(tx, booking.id)) == 1
        assert counted_of(tx, [booking.id])[booking.id].crates == 3, "the count stays"
    assert "Crates that differ" not in note.text
    valley.report("gardener", booking, "deliver", crates=2)
    assert (
        "3 crates loaded, 2 unloaded (noted by the driver)"
        in baker.go(f"/office/baker/transport/loads/{booking.id}").text
    )
    monkeypatch.setattr(photos, "MOST", 1)
    assert "A load has at most 1 photographs." in adds("blue")
    with valley.store.write() as tx:
        tx.execute(update(transport_photo).values(kept_at=tx.now - KEPT - timedelta(seconds=1)))
        forget_old(tx)
    assert "its month is over" in baker.go(f"/office/baker/transport/loads/{booking.id}").text


def test_a_trip_comes_back_each_week_until_its_carrier_ends_it(valley: Valley, client: TestClient) -> None:
    gardener = member(valley, client, "gardener")
    valley.vehicle()
    gardener.go("/office/gardener/transport/drive")
    gardener.send("/drive", ("repeat", "FREQ=WEEKLY"))
    assert "next: Saturday, 13 June 2026" in gardener.go("/office/gardener/transport").text
    with valley.store.read() as tx:
        (series,) = series_of(tx, "gardener")
    gardener.send("?then=end", ("series", series.id))
    assert "Ended: no more trips are offered by themselves" in gardener.page.text
    assert "13 June 2026" not in gardener.page.text


def test_a_hub_sees_what_comes_when_and_strangers_see_nothing(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    hub = member(valley, client, "shop")
    assert "brought by Gardener" in hub.go("/office/shop/transport").text
    assert "/office/shop/transport" in hub.go("/office/shop").links()
    dairy = member(valley, client, "dairy")
    for path in (f"trips/{trip.id}", f"statements/{trip.id}"):
        dairy.go(f"/office/dairy/transport/{path}")
        assert dairy.status == 404
    booking = valley.bookings(trip)[-1]
    dairy.post("/office/dairy/transport?then=cancel", booking=booking.id)
    assert dairy.status == 404
    dairy.post(f"/office/dairy/transport/trips/{trip.id}/change", then="cancel")
    assert dairy.status == 404
    assert valley.booking(booking).state == "confirmed"
    text = dairy.go("/office/dairy/transport").text
    assert "Baker" not in text, "who else rides along is nobody's business"


def test_who_has_cancelled_in_time_does_not_read_what_others_paid(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    valley.report("baker", valley.book("baker", trip), "cancel")
    for booking in valley.bookings(trip):
        if booking.state == "confirmed":
            valley.report("gardener", booking, "pick_up")
            valley.report("gardener", booking, "deliver")
    with valley.store.write() as tx:
        finish_trip(tx, "gardener", trip.id)
    gardener, baker = member(valley, client, "gardener"), member(valley, client, "baker")
    path = f"/transport/statements/{trip.id}"
    assert "Statement" in gardener.go(f"/office/gardener{path}").text
    baker.go(f"/office/baker{path}")
    assert baker.status == 404
    assert path not in str(baker.go("/office/baker/transport").links())


def test_who_packs_drives_and_decides_nothing(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    packer = member(valley, client, "gardener", "packer")
    assert "Call this trip off" not in packer.go(f"/office/gardener/transport/trips/{trip.id}").text
    packer.post(f"/office/gardener/transport/trips/{trip.id}/change", then="cancel")
    assert packer.status == 403
    packer.go(f"/office/gardener/transport/trips/{trip.id}")
    form = next(form for form in packer.page.forms if "booking" in form.fields)
    packer.post(form.action, **form.fields, event="pick_up")
    assert "Noted" in packer.page.text


def test_the_first_trip_asks_for_a_vehicle_and_says_what_is_wrong_at_its_field(
    valley: Valley, client: TestClient
) -> None:
    gardener = member(valley, client, "gardener")
    gardener.go("/office/gardener/transport/drive")
    assert "Say first what you drive with" in gardener.page.text
    gardener.send("/vehicles", name="", crates="many", cold="3")
    assert gardener.status == 422
    assert gardener.page.form("/vehicles").fields["crates"] == "many"
    gardener.send("/vehicles", name="Kangoo", crates="40", cold="0")
    assert "Kangoo" in gardener.page.text
    gardener.go("/office/gardener/transport/drive")
    gardener.send("/drive", ends_at="2026-06-01T10:00")
    assert gardener.status == 422
    assert "ends within 24 hours" in gardener.page.text
    assert gardener.page.form("/drive").fields["ends_at"] == "2026-06-01T10:00"


def test_a_load_is_corrected_and_a_booking_cancelled_after_a_question(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    baker = member(valley, client, "baker")
    baker.go("/office/baker/transport")
    baker.send("?then=load", crates="7", kg="55")
    assert valley.need("baker").crates == 7
    baker.send("?then=load", crates="no")
    assert baker.status == 422
    baker.go("/office/baker/transport")
    baker.send("?then=book")
    booking = valley.bookings(trip)[-1]
    assert f"/office/baker/transport?cancel={booking.id}" in baker.page.links()
    baker.go(f"/office/baker/transport?cancel={booking.id}")
    assert "It is free until" in baker.page.text
    baker.send("?then=cancel", ("booking", booking.id))
    assert "Cancelled, free of charge" in baker.page.text


def test_of_goods_whose_hour_is_over_nothing_is_offered_that_leads_nowhere(
    valley: Valley, client: TestClient, clock: ManualClock
) -> None:
    baker = member(valley, client, "baker")
    assert "I drive anyway" in baker.go("/office/baker/transport").text
    clock.advance(seconds=(valley.need("baker").closes - clock.now()).total_seconds())
    text = baker.go("/office/baker/transport").text
    assert "The hub no longer takes these in" in text
    assert "I drive anyway" not in text


def test_the_pages_speak_french(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    baker, gardener = (member(valley, client, farm, language="fr") for farm in ("baker", "gardener"))
    assert "Ils passent par chez vous" in baker.go("/office/baker/transport").text
    assert "Feuille de route" in gardener.go(f"/office/gardener/transport/trips/{trip.id}").text


def test_a_form_with_one_field_is_shown_again_with_its_mistakes(valley: Valley, client: TestClient) -> None:
    gardener = member(valley, client, "gardener")
    answer = gardener.client.post("/office/gardener/transport/vehicles", data={"name": "x" * 500})
    assert (answer.status_code, "x" * 500 in answer.text) == (422, True)


def test_transport_stands_in_the_navigation_and_an_owner_lets_somebody_drive(
    valley: Valley, client: TestClient
) -> None:
    owner, accountant = member(valley, client, "gardener"), member(valley, client, "gardener", "accountant")
    valley.vehicle()
    navigation = owner.go("/office/gardener").links()
    assert "/office/gardener/transport" in navigation
    owner.go("/office/gardener/transport/drive")
    owner.send("/drive")
    trip = owner.at.partition("?")[0]
    accountant.go(trip)
    assert accountant.status == 403
    assert "may drive" in owner.go("/office/gardener/settings/team").text
    form = next(form for form in owner.page.forms if form.fields.get("role") == "accountant")
    owner.post(form.action, **form.fields, **{"scope/transport:drive": "1"})
    accountant.go(trip)
    assert accountant.status == 200
    with valley.store.write() as tx:
        disable_plugin(tx, valley.instance.hooks, "gardener", "transport")
    assert "/office/gardener/transport" not in owner.go("/office/gardener").links()


def test_an_owner_makes_somebody_a_driver_who_sees_trips_and_nothing_else(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    owner, packer = member(valley, client, "gardener"), member(valley, client, "gardener", "packer")
    page = "/office/gardener/settings/team"
    assert "Trips, and what to load for whom; neither orders nor customers." in owner.go(page).text
    form = next(form for form in owner.page.forms if form.fields.get("role") == "packer" and "person" in form.fields)
    packer.go("/office/gardener/orders")
    assert packer.status == 200
    owner.post(form.action, **{**form.fields, "role": "transport:driver", "sure": "1"})
    assert "The new role holds at once." in owner.page.text
    for refused in ("orders", "customers", "settings/team", "money"):
        packer.go(f"/office/gardener/{refused}")
        assert packer.status == 403, refused
    assert "/office/gardener/transport" in packer.go("/office/gardener/transport").links()
    packer.go(f"/office/gardener/transport/trips/{trip.id}")
    form = next(form for form in packer.page.forms if "booking" in form.fields)
    packer.post(form.action, **form.fields, event="pick_up")
    assert "Noted" in packer.page.text
    assert "Driver" in packer.go("/office?choose=1").text
    with valley.store.write() as tx:
        disable_plugin(tx, valley.instance.hooks, "gardener", "transport")
    assert "transport:driver, which is no longer offered here" in owner.go(page).text


def test_a_driver_is_invited_and_the_page_speaks_french(valley: Valley, client: TestClient) -> None:
    owner = member(valley, client, "gardener", language="fr")
    owner.post("/language", language="fr", next="/office/gardener/settings/team")
    assert "Conduite" in owner.page.text
    owner.send("/team/invite", email="noe@example.org", role="transport:driver")
    assert "noe@example.org" in owner.page.text
    assert "Conduite · " in owner.page.text


def test_a_driver_corrects_a_count_and_the_hub_reads_the_right_one(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    valley.report("gardener", booking, "pick_up", crates=3)
    driver, hub = member(valley, client, "gardener", "packer"), member(valley, client, "shop")
    driver.go(f"/office/gardener/transport/trips/{trip.id}")
    driver.send("?then=correct", crates="2", note="one was the dairy's")
    assert "Corrected. What was noted first stays on record." in driver.page.text
    assert "loaded: 2 crates" in hub.go("/office/shop/transport").text
    driver.send("?then=correct", crates="many")
    assert "Give a whole number." in driver.page.text
