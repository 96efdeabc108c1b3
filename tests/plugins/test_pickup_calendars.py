"""Calendars of pickup, read back by another program's parser: the rules of RFC 5545, and who may read what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.languages.catalogs import spaced
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_links
from commensal.orders.tables import customer_order
from commensal.orders.values import Order, Wish
from commensal.parts.formats.ical import CalendarEvent, calendar
from commensal.people.people import Person, add_person, new_person
from commensal.people.sessions import begin_session
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_pickup.calendars import open_calendar
from commensal_pickup.closing import add_closure
from commensal_pickup.places import Place, add_place
from commensal_pickup.slots import Slot, add_slot

PLUGINS = ("pickup",)
SESSION = "shop-session"
NOON = datetime(2026, 6, 4, 12, 0, tzinfo=UTC)


class Table:
    """A place with two slots, and an order of a member or a guest in the first."""

    def __init__(self, store: Store, instance: Instance) -> None:
        self.store, self.hooks = store, instance.hooks
        with store.write() as tx:
            a_shop(tx, name="Les Paniers; d’ici, et d’ailleurs")
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="pickup", settings={}, version=1))
            self.item = an_item(tx, a_lot(tx))
            self.place: Place = add_place(
                tx,
                "shop",
                name="Salle",
                street="3, rue du Lavoir",
                postcode="37000",
                city="Bourg",
                note="Par la cour.\nSonner.",
            )
            self.begins_at = tx.now + timedelta(days=2, hours=5)
            self.slots: list[Slot] = [
                add_slot(
                    tx,
                    "shop",
                    SESSION,
                    place_id=self.place.id,
                    begins_at=self.begins_at + timedelta(hours=hour),
                    ends_at=self.begins_at + timedelta(hours=hour + 1),
                )
                for hour in range(2)
            ]

    def order(self, **kwargs: Any) -> Order:
        wish = Wish(items={self.item: 1}, name="Ada", email="ada@example.org", shipping=f"pickup:{self.slots[0].id}")
        with self.store.write() as tx:
            return place_order(tx, self.hooks, SESSION, wish, **kwargs)


@pytest.fixture
def table(store: Store, instance: Instance) -> Table:
    return Table(store, instance)


def events(content: bytes) -> list[Any]:
    (parsed,) = Calendar.from_ical(content, multiple=True)
    assert parsed.errors == []
    return list(parsed.walk("VEVENT"))


def test_a_guest_puts_their_slot_into_their_calendar(table: Table, client: TestClient) -> None:
    order = table.order(secret="a-secret")
    answer = client.get("/-/pickup/orders/guest/a-secret.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = events(answer.content)
    assert (event["SUMMARY"], event["STATUS"]) == ("Collect order 1 (Les Paniers; d’ici, et d’ailleurs)", "CONFIRMED")
    assert (event["LOCATION"], event["DESCRIPTION"]) == (
        "Salle, 3, rue du Lavoir, 37000 Bourg",
        "Par la cour.\nSonner.",
    )
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (table.begins_at, table.begins_at + timedelta(hours=1))
    assert event["DTSTART"].dt.tzinfo is not None
    assert event["UID"] == f"order-{order.id}@testserver"


def test_the_entry_of_an_order_stays_the_same_one_and_knows_that_it_is_cancelled(
    table: Table, client: TestClient
) -> None:
    order = table.order(secret="a-secret")
    (entry_before,) = events(client.get("/-/pickup/orders/guest/a-secret.ics").content)
    with table.store.write() as tx:
        cancel_order(tx, table.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)
    (entry_after,) = events(client.get("/-/pickup/orders/guest/a-secret.ics").content)
    assert (entry_after["UID"], entry_after["STATUS"]) == (entry_before["UID"], "CANCELLED")
    assert entry_after["SEQUENCE"] > entry_before["SEQUENCE"]


def test_a_persons_calendar_is_theirs_alone(table: Table, client: TestClient) -> None:
    people: list[Person] = []
    with table.store.write() as tx:
        for name in ("ada", "bob"):
            person_values = new_person(
                email=f"{name}@example.org", name=name, password="a long enough password", language="fr"
            )
            new_member = add_person(tx, person_values, confirmed=True)
            assert new_member is not None
            people.append(new_member)
        cookies = [begin_session(tx, person).secret for person in people]
    order = table.order(person_id=people[0].id)
    address, code = (f"/-/pickup/orders/{order.id}.{kind}" for kind in ("ics", "svg"))
    assert [client.get(path).status_code for path in (address, code)] == [401, 401]
    client.cookies.set("session", cookies[1])
    assert [client.get(path).status_code for path in (address, code)] == [404, 404]
    client.cookies.set("session", cookies[0])
    assert len(events(client.get(address).content)) == 1
    assert client.get(code).headers["content-type"] == "image/svg+xml"
    assert client.get("/-/pickup/orders/guest/nobodys.ics").status_code == 404
    assert client.get("/-/pickup/orders/guest/nobodys.svg").status_code == 404


def test_an_order_that_is_not_collected_has_no_calendar(table: Table, client: TestClient) -> None:
    order = table.order(secret="a-secret")
    with table.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.id == order.id).values(shipping=""))
    assert client.get("/-/pickup/orders/guest/a-secret.ics").status_code == 404


def test_a_place_is_subscribed_to_by_a_link_that_is_told_once(
    table: Table, client: TestClient, clock: ManualClock
) -> None:
    table.order()
    with table.store.write() as tx:
        open_calendar(tx, "shop", table.place.id, "first")
        open_calendar(tx, "shop", table.place.id, "second")
        local = table.slots[1].begins_at.date()
    assert client.get("/-/pickup/places/first.ics").status_code == 404, "a new link makes the old one useless"
    first_entry, second_entry = events(client.get("/-/pickup/places/second.ics").content)
    assert (first_entry["SUMMARY"], second_entry["SUMMARY"]) == ("Salle – 1 commande", "Salle – 0 commande")
    with table.store.write() as tx:
        add_closure(tx, "shop", table.place.id, first_day=local, reason="Inventaire")
    first_entry, second_entry = events(client.get("/-/pickup/places/second.ics").content)
    assert (first_entry["STATUS"], second_entry["STATUS"]) == ("CONFIRMED", "CANCELLED"), "somebody comes to the first"
    assert first_entry["DESCRIPTION"] == spaced("fr", "fermé : Inventaire")
    clock.advance(days=70)
    assert events(client.get("/-/pickup/places/second.ics").content) == [], "a calendar does not grow with history"


def test_a_coordinator_makes_and_revokes_the_link_over_the_api(table: Table, client: TestClient) -> None:
    with table.store.write() as tx:
        new_ada = new_person(email="ada@example.org", name="Ada", password="a long enough password", language="fr")
        ada = add_person(tx, new_ada, confirmed=True)
        assert ada is not None
        member = {"enterprise_id": "shop", "person_id": ada.id, "role": "manager", "since": tx.now}
        tx.execute(insert(enterprise_member).values(member))
        secret = begin_session(tx, ada).secret
    address = f"/api/-/pickup/enterprises/shop/places/{table.place.id}/calendar"
    assert client.post(address, headers={"Origin": "http://testserver"}).status_code == 401
    client.cookies.set("session", secret)
    client.headers["Origin"] = "http://testserver"
    response = client.post(address)
    assert response.status_code == 201, response.text
    link = response.json()["url"].removeprefix("http://testserver")
    client.cookies.delete("session")
    assert len(events(client.get(link).content)) == 2
    client.cookies.set("session", secret)
    assert client.delete(address).status_code == 204
    assert client.get(link).status_code == 404
    assert client.delete(address).status_code == 404


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300))
def test_whatever_people_write_can_be_read_again_and_no_line_is_too_long(text: str) -> None:
    event = CalendarEvent(uid="u", begins_at=NOON, ends_at=NOON + timedelta(hours=1), summary=f"a{text}b")
    content = calendar(text, [event], NOON)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    content.decode("utf-8")
    (entry,) = events(content)
    assert entry["SUMMARY"] == f"a{text}b"


def test_control_characters_are_left_out_and_breaks_of_lines_are_kept() -> None:
    event = CalendarEvent(
        uid="u", begins_at=NOON, ends_at=NOON, summary="Hall\x00\x1b", description="one\r\ntwo\rthree\\n; four, five"
    )
    (entry,) = events(calendar("", [event], NOON))
    assert (entry["SUMMARY"], entry["DESCRIPTION"]) == ("Hall", "one\ntwo\nthree\\n; four, five")
    assert b"BEGIN:VEVENT\r\n" in calendar("", [event], NOON)


def test_the_page_of_an_order_leads_to_its_calendar_until_it_is_collected(table: Table) -> None:
    order = table.order(secret="a-secret")

    def links(order: Order) -> list[str]:
        with table.store.read() as tx:
            return [
                order_link.url for order_link in order_links(tx, table.hooks, order, "/orders/guest/a-secret", "fr")
            ]

    assert links(order) == ["/-/pickup/orders/guest/a-secret.ics", "/-/pickup/orders/guest/a-secret.svg"]
    for later_order in (
        replace(order, state="Cancelled"),
        replace(order, fulfilment_state="Fulfilled"),
        replace(order, shipping="delivery:x"),
    ):
        assert links(later_order) == []
