"""Pages of pickup in the office: places with street, hours and closures, and the slots of a sale."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from commensal_pickup.hours import Hours
from commensal_pickup.places import Place, places_of
from commensal_pickup.slots import Slot, change_slot, slots_of

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner
from .test_office_receive import mail_about, run_all

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
        "/new",
        name="Ferme",
        street="3 rue du Lavoir",
        note="Blue door",
        coordinates="47.3941, 0.6848",
        FR="17h-19h30, 20:00–21:00",
        price="1.50",
    )
    assert "“Slots” cuts slots from its hours" in owner.page.text
    place = places(stall)[-1]
    assert (place.name, place.street, place.note, place.price) == ("Ferme", "3 rue du Lavoir", "Blue door", 150)
    assert (place.latitude, place.longitude) == (Decimal("47.3941"), Decimal("0.6848"))
    assert place.hours == (
        Hours(weekday="FR", begins="17:00", ends="19:30"),
        Hours(weekday="FR", begins="20:00", ends="21:00"),
    )
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
    assert "They keep their slot, and nobody has told their customers, until you move them." in owner.page.text
    assert sum(slot.closure_id is not None for slot in slots(stall)) == 1
    closure = next(slot.closure_id for slot in slots(stall) if slot.closure_id)
    owner.send("?then=open", ("closure", closure))
    assert not any(slot.closure_id for slot in slots(stall))


def test_all_orders_of_a_closed_slot_move_at_once_and_their_customers_are_told(owner: Browser, stall: Stall) -> None:
    orders = [an_order(stall), an_order(stall, "Denis Diop")]
    closed, other = sorted(slots(stall), key=lambda slot: not slot.taken)[:2]
    owner.go(f"{PLACES}/{closed.place_id}")
    owner.send("?then=close", first_day=closed.begins_at.date().isoformat(), reason="Salle fermée")
    assert "2 orders at Salle des fêtes, which is closed then" in owner.go(OFFICE).text
    move = f"{OFFICE}/orders/move?sale=shop-session&from=pickup:{closed.id}"
    assert move in owner.page.links()
    assert move in owner.go(SLOTS).links()
    assert move in owner.go(f"{PLACES}/{closed.place_id}").links()
    owner.go(move)
    assert f"{OFFICE}/orders/{orders[0].id}" in owner.page.links()
    shown = owner.page.form(f"pickup:{closed.id}").fields
    owner.post(move, **{**shown, "target": f"pickup:{other.id}"})
    assert "Nothing has changed yet." in owner.page.text
    assert [slot.taken for slot in slots(stall) if slot.id in (closed.id, other.id)].count(0) == 1
    asked = owner.page.form(f"pickup:{closed.id}").fields
    owner.post(move, **{**asked, "number": "1"})
    assert "Somebody has changed this meanwhile" in owner.page.text
    owner.post(move, **asked)
    assert "2 orders were moved here; their customers are told by e-mail." in owner.page.text
    assert {slot.taken for slot in slots(stall) if slot.id == closed.id} == {0}
    run_all(stall)
    for order in orders:
        text, _ = mail_about(stall, order.number, "Modifiée")
        assert "a changé. La voici" in text
    assert "which is closed then" not in owner.go(OFFICE).text


def test_a_slot_that_is_too_small_takes_none_of_the_orders(owner: Browser, stall: Stall) -> None:
    for name in ("Corinne Clerc", "Denis Diop"):
        an_order(stall, name)
    full, small = sorted(slots(stall), key=lambda slot: not slot.taken)[:2]
    with stall.instance.store.write() as tx:
        change_slot(tx, "shop", small.id, small.version, capacity=1)
    move = f"{OFFICE}/orders/move?sale=shop-session&from=pickup:{full.id}"
    shown = owner.go(move).form(f"pickup:{full.id}").fields
    owner.post(move, **{**shown, "target": f"pickup:{small.id}"})
    assert (owner.status, "is full; please choose another slot" in owner.page.text) == (409, True)
    assert {slot.id: slot.taken for slot in slots(stall)}[full.id] == 2


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
