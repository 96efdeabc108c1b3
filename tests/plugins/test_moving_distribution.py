"""A hand-out with orders moves to another day: slots and orders follow, and everybody who was told is told anew."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, Stale
from commensal.instance import Instance, InstanceSettings
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.shipping import offered_shipping
from commensal.orders.values import Order, Wish
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.parts.serving.work import work_of
from commensal.parts.supply.moving_distribution import MovedDistribution, move_distribution
from commensal.parts.supply.policy import change_closing_policy
from commensal.parts.supply.purchase_orders import supplier_orders_of
from commensal.parts.supply.tables import sale_closing
from commensal.sale_sessions.questions import coordination_by_id, session_by_id, sessions_of
from commensal.sale_sessions.tables import sale_session
from commensal.sale_sessions.values import SaleSession
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal_pickup.closing import add_closure
from commensal_pickup.slots import slots_of
from commensal_pickup.tables import pickup_slot

from .every_mail import PLUGINS, Village

DAY, PARIS = timedelta(days=1), ZoneInfo("Europe/Paris")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, base_url="https://val.example", language="fr", plugins={"enabled": PLUGINS})


@pytest.fixture
def village(instance: Instance) -> Village:
    return Village(instance)


def by_telephone(village: Village) -> Order:
    """Takes an order for somebody without an e-mail address, in the same slot."""
    wish = Wish(
        items={village.item: 1},
        name="Berthe",
        email="",
        phone="02 47 11 11 11",
        shipping=village.order.shipping,
        payment_method="bank_transfer:transfer",
    )
    with village.instance.store.write() as tx:
        return place_order(tx, village.instance.hooks, "hub-session", wish, by_hub=True)


def session(village: Village) -> SaleSession:
    with village.instance.store.read() as tx:
        return session_by_id(tx, "hub-session", "hub")


def move(village: Village, by: timedelta, *, version: int = 0, **options: Any) -> MovedDistribution:
    """Moves the hand-out by so many days and hours."""
    now = session(village)
    with village.instance.store.write() as tx:
        return move_distribution(
            tx, village.instance.hooks, "hub-session", "hub", version or now.version, now.begins_at + by, **options
        )


def order_of(village: Village, order: Order) -> Order:
    with village.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="hub")


def slot_of(village: Village, order: Order) -> datetime:
    with village.instance.store.read() as tx:
        offered = offered_shipping(tx, village.instance.hooks, "hub", "hub-session", "fr")
    return offered[order.shipping].begins_at.astimezone(PARIS)


def work(village: Village) -> None:
    jobs = work_of(village.instance)
    run_periodic(village.instance, jobs)
    while run_due(village.instance, jobs):
        pass


def letters(village: Village, to: str, about: str) -> list[EmailMessage]:
    files = sorted((village.instance.folder / "mail").glob("*.eml"))
    mails = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [mail for mail in mails if to in mail["To"] and about in mail["Subject"]]


def text_of(mail: EmailMessage) -> str:
    """The text of an e-mail on one line, with plain spaces."""
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().replace("\u2060", "").split())


def event_in(mail: EmailMessage) -> Any:
    (part,) = (part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar")
    (event,) = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")
    return event


def test_orders_and_slots_follow_a_moved_hand_out_and_its_people_are_told(village: Village, clock: ManualClock) -> None:
    called = by_telephone(village)
    village.close(clock)
    work(village)
    before, order = session(village), order_of(village, village.order)
    moved = move(village, DAY, reason="Le four est en panne.")
    assert [(each.number, each.email) for each in moved.orders] == [(1, "ada@example.org"), (called.number, "")]
    assert (moved.session.begins_at - before.begins_at, moved.session.ends_at - before.ends_at) == (DAY, DAY)
    assert slot_of(village, order) == datetime(2026, 6, 7, 17, 0, tzinfo=PARIS)
    after = order_of(village, order)
    assert (after.version, "dimanche 7 juin 2026" in after.shipping_label) == (order.version + 1, True)
    assert (after.lines, after.total, after.state) == (order.lines, order.total, "Complete")
    work(village)
    (letter,) = letters(village, "ada@", "Déplacée")
    text = text_of(letter)
    for words in (
        "dimanche 7 juin 2026, 17:00 – 18:00 au lieu de samedi 6 juin 2026",
        "Le four est en panne.",
        "Si vous ne pouvez pas venir",
    ):
        assert words in text
    first, then = event_in(letters(village, "ada@", "Définitive")[0]), event_in(letter)
    assert (then["UID"], then["SEQUENCE"] > first["SEQUENCE"], then["DTSTART"].dt - first["DTSTART"].dt) == (
        first["UID"],
        True,
        DAY,
    )
    with village.instance.store.read() as tx:
        (purchase,) = supplier_orders_of(tx, "farm")
    assert (purchase.revision, moved.suppliers) == (2, ("La Ferme du Bas",))
    assert "La distribution change d’horaire : dimanche 7 juin" in text_of(letters(village, "farm", "a changé")[-1])


def test_a_hand_out_that_moves_back_is_as_before(village: Village) -> None:
    order, before = order_of(village, village.order), session(village)
    move(village, DAY)
    with village.instance.store.write() as tx:
        sale = coordination_by_id(tx, "hub-sale", "hub")
        copy = clone_coordination(tx, village.instance.hooks, sale.id, "hub", sale.opens_at + 7 * DAY)
        (following,) = sessions_of(tx, copy.id, "hub")
        (slot,) = slots_of(tx, "hub", following.id)
    assert (following.begins_at, slot.begins_at) == (before.begins_at + 7 * DAY, before.begins_at + 7 * DAY), (
        "the oven is repaired by then: the next sale keeps its day"
    )
    with pytest.raises(Stale):
        move(village, DAY, version=before.version)
    with pytest.raises(Conflict, match="these times already"):
        move(village, timedelta(0))
    move(village, -DAY)
    after = order_of(village, order)
    assert (after.shipping_label, after.version) == (order.shipping_label, order.version + 2)
    assert session(village) == replace(before, version=before.version + 2)


def test_the_reminder_goes_out_on_the_new_evening_before(village: Village, clock: ManualClock) -> None:
    with village.instance.store.write() as tx:
        change_closing_policy(tx, "hub", final_mail=False)
    village.close(clock)
    work(village)
    clock.set(datetime(2026, 6, 5, 18, 30, tzinfo=PARIS))
    work(village)
    assert len(letters(village, "ada@", "Demain")) == 1
    move(village, 2 * DAY)
    work(village)
    assert len(letters(village, "ada@", "Demain")) == 1
    clock.set(datetime(2026, 6, 7, 18, 30, tzinfo=PARIS))
    work(village)
    assert len(letters(village, "ada@", "Demain")) == 2
    move(village, timedelta(hours=1))
    with village.instance.store.read() as tx:
        assert tx.value(select(sale_closing.c.reminded_at)) is not None, "they are told in this moment"


def test_a_hand_out_moves_nowhere_before_the_closing_or_after_a_hand_over(village: Village, clock: ManualClock) -> None:
    for by, code in ((-2 * DAY - timedelta(hours=12), "passed"), (-DAY - timedelta(hours=7), "begins_before_closing")):
        with pytest.raises(Invalid) as refused:
            move(village, by)
        assert refused.value.problems[0].code == code
    with village.instance.store.write() as tx:
        tx.execute(update(pickup_slot).values(begins_at=session(village).begins_at - DAY))
    with pytest.raises(Conflict, match="lie before the closing"):
        move(village, timedelta(hours=-6))
    with village.instance.store.write() as tx:
        tx.execute(update(pickup_slot).values(begins_at=session(village).begins_at))
    with pytest.raises(Conflict, match="lie outside the hand-out"):
        move(village, DAY, ends_at=session(village).begins_at + DAY + timedelta(minutes=30))
    clock.set(session(village).begins_at)
    with village.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, village.order.id, enterprise_id="hub"))
    with pytest.raises(Conflict, match="handed over already"):
        move(village, DAY)


def test_a_hand_out_moves_out_of_a_closure_and_not_into_one(village: Village) -> None:
    with village.instance.store.write() as tx:
        place = str(tx.value(select(pickup_slot.c.place_id)))
        for day in (6, 8):
            add_closure(tx, "hub", place, first_day=datetime(2026, 6, day, tzinfo=PARIS).date(), reason="Fuite d’eau")
    with pytest.raises(Conflict, match="Halle des Vallons is closed then: Fuite d’eau"):
        move(village, 2 * DAY)
    move(village, DAY)
    assert slot_of(village, village.order).day == 7
    assert by_telephone(village).shipping == village.order.shipping, "it takes orders again"


def test_a_cancelled_sale_and_closed_books_move_nowhere(village: Village) -> None:
    with village.instance.store.write() as tx:
        tx.execute(update(sale_session).values(books_closed_at=tx.now))
    with pytest.raises(Conflict, match="books"):
        move(village, DAY)
