"""When a sale has closed its customers are told: their final order, a reminder, and that nobody collected it."""

from __future__ import annotations

from typing import Any

import icalendar
import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over, tell_not_collected
from commensal.orders.lock import locked_order
from commensal.parts.supply.passed_cut_offs import close_parts
from commensal.parts.supply.policy import change_closing_policy

from ..plugins.test_statements import count_statements
from .supplying import Supplying
from .test_purchase_orders import letters, pass_time


def subjects(supplying: Supplying, to: str) -> list[str]:
    return [str(letter["Subject"]) for letter in letters(supplying, to, about="order")]


def test_customers_get_their_final_order_once_with_a_calendar_file(supplying: Supplying, clock: ManualClock) -> None:
    supplying.order("hub", {"apples": 2}, secret="s" * 43)
    pass_time(supplying, clock, minutes=2)
    pass_time(supplying, clock, hours=23, minutes=58)
    pass_time(supplying, clock, minutes=10)
    confirmation, final = letters(supplying, "ada@", about="order")
    assert final["Subject"] == "Final: Sat 6 Jun, 17:00 · order 1 · €5.00"
    text = final.get_body(("plain",)).get_content()
    assert text.index("Saturday, 6 June") < text.index("2 × Apples")
    link = next(line for line in text.splitlines() if "/orders/guest/" in line)
    assert link not in confirmation.get_body(("plain",)).get_content(), "each e-mail has a link of its own"
    (attached,) = final.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("text/calendar", "order-1.ics")
    calendar = icalendar.Calendar.from_ical(attached.get_content())
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], str(event["SUMMARY"])) == ("PUBLISH", "Order 1 at The hub")
    assert f"{event.decoded('DTSTART'):%Y-%m-%d %H:%M}" == "2026-06-06 15:00"


def test_cancelled_orders_and_hubs_that_do_not_want_it_mail_nothing(supplying: Supplying, clock: ManualClock) -> None:
    cancelled = supplying.order("hub", {"apples": 2})
    supplying.order("north", {"apples": 2}, "Nora")
    with supplying.instance.store.write() as tx:
        cancel_order(tx, supplying.instance.hooks, locked_order(tx, cancelled.id, enterprise_id="hub"))
        change_closing_policy(tx, "north", final_mail=False, reminder=False)
    pass_time(supplying, clock, days=1)
    pass_time(supplying, clock, hours=7)
    mailed = " ".join(subjects(supplying, "@example.org"))
    assert "Final" not in mailed
    assert "Tomorrow" not in mailed


def test_customers_are_reminded_once_on_the_evening_before(supplying: Supplying, clock: ManualClock) -> None:
    """The sale closes on Friday noon, and is distributed on Saturday."""
    with supplying.instance.store.write() as tx:
        change_closing_policy(tx, "hub", final_mail=False)
    supplying.order("hub", {"apples": 2})
    supplying.order("north", {"apples": 2}, "Nora")
    pass_time(supplying, clock, days=1, hours=5, minutes=59)
    assert not [subject for subject in subjects(supplying, "ada@") if "Tomorrow" in subject]
    pass_time(supplying, clock, minutes=1)
    pass_time(supplying, clock, minutes=30)
    reminders = [subject for subject in subjects(supplying, "ada@") if "Tomorrow" in subject]
    assert reminders == ["Tomorrow 17:00 · order 1 · €5.00"]
    assert not [subject for subject in subjects(supplying, "nora@") if "Tomorrow" in subject], "it was just told"


def test_who_did_not_collect_is_asked_what_to_do(supplying: Supplying, clock: ManualClock) -> None:
    order = supplying.order("hub", {"apples": 2})
    with supplying.instance.store.write() as tx, pytest.raises(Conflict, match="not begun"):
        tell_not_collected(tx, locked_order(tx, order.id, enterprise_id="hub"))
    pass_time(supplying, clock, days=2, hours=6)
    with supplying.instance.store.write() as tx:
        tell_not_collected(tx, locked_order(tx, order.id, enterprise_id="hub"))
    pass_time(supplying, clock, minutes=1)
    assert subjects(supplying, "ada@")[-1] == "Not collected: order 1 · €5.00"
    with supplying.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="hub"))
        with pytest.raises(Conflict, match="handed over"):
            tell_not_collected(tx, locked_order(tx, order.id, enterprise_id="hub"))


def test_the_hub_sees_what_was_mailed_and_mails_it_again(
    supplying: Supplying, clock: ManualClock, client: TestClient, somebody: Any
) -> None:
    order = supplying.order("hub", {"apples": 2})
    pass_time(supplying, clock, minutes=2)
    hub, packer = supplying.token(somebody("Hans"), "hub"), supplying.token(somebody("Paul"), "hub", "packer")
    path = f"/api/enterprises/hub/orders/{order.id}/mails"
    assert client.post(path, json={"kind": "order_final"}, headers=packer).status_code == 403
    assert client.post(path, json={"kind": "order_final"}, headers=hub).status_code == 204
    pass_time(supplying, clock, minutes=1)
    assert {mail["to"] for mail in client.get(path, headers=packer).json()} == {None}, "who packs reads no customers"
    mails = client.get(path, headers=hub).json()
    assert [(mail["kind"], mail["to"], mail["state"], mail["attempts"]) for mail in mails] == [
        ("order_placed", "ada@example.org", "sent", 1),
        ("order_final", "ada@example.org", "sent", 1),
    ]


def test_telling_customers_takes_the_same_statements_for_any_number_of_orders(
    supplying: Supplying, clock: ManualClock
) -> None:
    for number in range(20):
        supplying.order("hub", {"apples": 1}, f"Ada{number}", secret=f"{number:043}")
    supplying.order("north", {"apples": 1}, "Nora", secret="n" * 43)
    clock.advance(days=1)
    store = supplying.instance.store

    def act() -> None:
        with store.write() as tx:
            close_parts(tx)

    assert count_statements(store, act) <= 10
