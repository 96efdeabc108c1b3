"""Pages of pickup in the office: places with street, hours and closures, and the slots of a sale."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from commensal_pickup.hours import Hours
from commensal_pickup.places import Place, places_of
from commensal_pickup.slots import Slot, slots_of

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PLACES = f"{OFFICE}/places"
SLOTS = f"{OFFICE}/sale/shop-session/slots"


def places(stall: Stall) -> list[Place]:
    with stall.instance.store.read() as tx:
        return list(places_of(tx, "shop"))


def slots(stall: Stall) -> list[Slot]:
    with stall.instance.store.read() as tx:
        return list(slots_of(tx, "shop", "shop-session"))


def test_a_place_is_added_with_street_note_hours_and_coordinates(owner: Browser, stall: Stall) -> None:
    assert PLACES in owner.go(f"{OFFICE}/settings").links()
    owner.go(f"{PLACES}/new")
    owner.send(
        "/new", name="Ferme", street="3 rue du Lavoir", note="Blue door", coordinates="47.3941, 0.6848",
        FR="17h-19h30, 20:00–21:00", price="1.50",
    )  # fmt: skip
    assert "Slots are cut from its hours" in owner.page.text
    place = places(stall)[-1]
    assert (place.name, place.street, place.note, place.price) == ("Ferme", "3 rue du Lavoir", "Blue door", 150)
    assert (place.latitude, place.longitude) == (Decimal("47.3941"), Decimal("0.6848"))
    assert place.hours == (
        Hours(weekday="FR", begins="17:00", ends="19:30"), Hours(weekday="FR", begins="20:00", ends="21:00"),
    )  # fmt: skip
    form = owner.page.form(f"/{place.id}").fields
    assert (form["FR"], form["price"]) == ("17:00-19:30, 20:00-21:00", "1.50")
    assert "Friday 17:00–19:30" in owner.go(PLACES).text
    shop = owner.client.get("/hubs/shop").text
    assert '<meta name="geo.position" content="47.3941;0.6848">' in shop
    assert '<meta name="geo.placename" content="Ferme">' in shop


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(owner: Browser, stall: Stall) -> None:
    owner.go(f"{PLACES}/new")
    owner.send("/new", name="Ferme", coordinates="here", FR="in the evening", SA="19:00-17:00", price="much")
    assert owner.status == 422
    wrong = {id.removesuffix("-problem") for id in owner.page.ids() if id.endswith("-problem")}
    assert wrong == {"coordinates", "FR", "SA", "price"}
    assert owner.page.form("/new").fields["FR"] == "in the evening"
    assert len(places(stall)) == 2


def test_two_who_change_a_place_at_once_lose_nothing(owner: Browser, stall: Stall) -> None:
    place = places(stall)[0]
    form = owner.go(f"{PLACES}/{place.id}").form(f"/{place.id}").fields
    owner.post(owner.at, **{**form, "note": "Ring twice"})
    owner.post(f"{PLACES}/{place.id}", **{**form, "note": "Knock"})
    assert owner.status == 422
    assert owner.page.form(f"/{place.id}").fields["note"] == "Knock"
    assert places(stall)[0].note == "Ring twice"


def test_closed_days_say_how_many_orders_they_concern(owner: Browser, stall: Stall) -> None:
    an_order(stall)
    place = next(place for place in places(stall) if place.name == "Salle des fêtes")
    day = slots(stall)[0].begins_at.date().isoformat()
    owner.go(f"{PLACES}/{place.id}")
    owner.send("?then=close", first_day=day, reason="Fête")
    assert "1 order that has such a slot keeps it" in owner.page.text
    assert sum(slot.closure_id is not None for slot in slots(stall)) == 1
    closure = next(slot.closure_id for slot in slots(stall) if slot.closure_id)
    owner.send("?then=open", ("closure", closure))
    assert not any(slot.closure_id for slot in slots(stall))


def test_a_place_is_closed_for_good_after_a_question(owner: Browser, stall: Stall) -> None:
    place = places(stall)[0]
    owner.go(f"{PLACES}/{place.id}?ask=archive")
    assert "It takes no new slots" in owner.page.text
    owner.send("?then=archive")
    assert place.id not in {left.id for left in places(stall)}


def test_hours_are_cut_into_slots_which_are_changed_and_removed(owner: Browser, stall: Stall) -> None:
    place, before = places(stall)[0], slots(stall)
    begins = before[0].begins_at
    local = begins + timedelta(hours=2)  # Paris in summer
    form = owner.go(f"{PLACES}/{place.id}").form(f"/{place.id}").fields
    day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[local.weekday()]
    owner.post(owner.at, **{**form, day: f"{local:%H:%M}-{local + timedelta(hours=2):%H:%M}"})
    assert SLOTS in owner.go(f"{OFFICE}/sale/shop-session").links()
    owner.go(SLOTS)
    owner.send("?then=cut", place_id=place.id, minutes="30", capacity="5")
    new = [slot for slot in slots(stall) if slot.id not in {slot.id for slot in before}]
    assert [slot.capacity for slot in new] == [5] * len(new)
    assert new
    fields = {"slot": new[0].id, "version": str(new[0].version)}
    owner.post(f"{SLOTS}?then=change", **fields, capacity="7")
    assert next(slot.capacity for slot in slots(stall) if slot.id == new[0].id) == 7
    owner.post(f"{SLOTS}?then=remove", **fields)
    assert owner.status == 422  # of an older version
    owner.post(f"{SLOTS}?then=remove", **{**fields, "version": "2"})
    assert new[0].id not in {slot.id for slot in slots(stall)}


def test_who_packs_reads_places_and_changes_none(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    place = places(stall)[0]
    assert "Add a place" not in browser.go(PLACES).text
    for path in (f"{PLACES}/new", f"{PLACES}/{place.id}", f"{SLOTS}?then=cut"):
        browser.post(path, name="Mine", place_id=place.id, minutes="30")
        assert browser.status == 403
    browser.another().go(PLACES)
    assert browser.go("/office/other/places").text
    assert browser.status == 404
    assert [place.name for place in places(stall)] == ["Salle des fêtes", "Gare"]
