"""What guests may order without proving their address, how long they hold goods, and what the hub hears of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default
from typing import Any, Literal

import pytest
from sqlalchemy import delete, func, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid, Refused
from commensal.enterprises.guest_policy import GuestPolicy, change_guest_policy, guest_policy_of
from commensal.enterprises.tables import guest_policy
from commensal.instance import Instance
from commensal.orders import guests
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.proof import prove_order
from commensal.orders.questions import order_by_id
from commensal.orders.tables import guest_order
from commensal.orders.values import Order, SaleContext, Wish
from commensal.parts.serving.work import work_of
from commensal.parts.till.unpaid_guests import forget_guest_orders
from commensal.payments.payments import receive_payment
from commensal.people.codes import fingerprint
from commensal.people.people import Person
from commensal.stock.tables import stock_lot
from commensal.storage.jobs.clock import trust_clock
from commensal.storage.jobs.run import run_due
from commensal.testing.placed import a_lot, a_shop, an_item

from .test_people_api import HERE

Somebody = Callable[..., Person]
SECRET = "x" * 43


class Hall:
    """A shop without a guest policy of its own, with a hundred boxes at ten euros."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.store = instance, instance.store
        with self.store.write() as tx:
            a_shop(tx)
            tx.execute(delete(guest_policy))
            self.lot = a_lot(tx, on_hand="100")
            self.item = an_item(tx, self.lot, name="Paniers", price=1000)

    def allow(self, **values: Any) -> GuestPolicy:
        with self.store.write() as tx:
            return change_guest_policy(tx, "shop", **values)

    def order(self, pieces: int = 1, email: str = "guest@example.org", *, language: str = "en", **kwargs: Any) -> Order:
        wish = Wish(items={self.item: pieces}, name="G", email=email, language=language)
        with self.store.write() as tx:
            return place_order(tx, self.instance.hooks, "shop-session", wish, **kwargs)

    def code_of_refusal(self, pieces: int = 1, email: str = "guest@example.org", **kwargs: Any) -> str:
        with pytest.raises(Refused) as error:
            self.order(pieces, email, **kwargs)
        return error.value.code

    def mails_to_guest(self) -> list[str]:
        """Returns the text parts of the e-mails to the guest."""
        messages = [
            message_from_bytes(file.read_bytes(), policy=default)
            for file in (self.instance.folder / "mail").glob("*.eml")
        ]
        parts = [message.get_body(("plain",)) for message in messages if "guest@example.org" in message["To"]]
        return [part.get_content().replace("\r\n", "\n") for part in parts if part is not None]

    def free(self) -> int:
        with self.store.read() as tx:
            return int(tx.value(select(stock_lot.c.free).where(stock_lot.c.id == self.lot)))

    def work(self) -> None:
        while run_due(self.instance, work_of(self.instance)):
            pass

    def read_order(self, order: Order) -> Order:
        with self.store.read() as tx:
            return order_by_id(tx, order.id, enterprise_id="shop")

    def follow_link(self, order: Order) -> None:
        """Confirms the order by the link in its mail."""
        with self.store.write() as tx:
            prove_order(tx, fingerprint(str(mailed_secret(tx, order.id))))

    def pay(self, order: Order) -> None:
        with self.store.write() as tx:
            receive_payment(
                tx,
                enterprise_id="shop",
                order_id=order.id,
                method="cash:cash",
                amount=order.total,
                idempotency_key=order.id,
                person_id=None,
            )


@pytest.fixture
def hall(instance: Instance) -> Hall:
    return Hall(instance)


def test_the_safe_policy_holds_until_another_is_chosen(hall: Hall) -> None:
    with hall.store.read() as tx:
        assert guest_policy_of(tx, "shop") == GuestPolicy(guests="link", largest_unpaid=30_000)
    assert hall.code_of_refusal(31) == "guest_order_too_large"
    assert hall.order(30).total == 30_000


def test_one_guest_does_not_empty_a_sale(hall: Hall) -> None:
    before = hall.free()
    for number in range(3):
        hall.order(30, f"guest+{number}@example.org")
    assert hall.code_of_refusal() == "too_many_guest_orders"
    assert hall.free() == before // 10


def test_one_network_does_not_either(hall: Hall) -> None:
    hall.allow(orders_of_network=2)
    for number in range(2):
        hall.order(email=f"g{number}@example.org", client_address=f"2001:db8::{number}")
    assert hall.code_of_refusal(email="g9@example.org", client_address="2001:db8::9") == "too_many_guest_orders"
    hall.order(email="g9@example.org", client_address="2001:db8:0:1::9")


@pytest.mark.parametrize(
    ("email", "client_address"), [("g+{number}@example.org", ""), ("g{number}@example.org", "2001:db8::{number}")]
)
def test_guests_who_order_at_once_from_one_mailbox_or_network_are_all_counted(
    hall: Hall, email: str, client_address: str
) -> None:
    hall.allow(orders_of_mailbox=3, orders_of_network=3)

    def order(number: int) -> bool:
        try:
            hall.order(email=email.format(number=number), client_address=client_address.format(number=number))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(order, range(8))).count(True) == 3


def test_what_is_cancelled_paid_or_handed_over_limits_nothing_any_more(hall: Hall) -> None:
    first, second, third = (hall.order() for _ in range(3))
    assert hall.code_of_refusal() == "too_many_guest_orders"
    with hall.store.write() as tx:
        cancel_order(tx, hall.instance.hooks, locked_order(tx, first.id, enterprise_id="shop"))
    hall.order()
    hall.pay(second)
    hall.order()
    with hall.store.write() as tx:
        hand_order_over(tx, locked_order(tx, third.id, enterprise_id="shop"))
    hall.order()
    assert hall.code_of_refusal() == "too_many_guest_orders"


def test_members_and_the_hub_are_no_guests(hall: Hall, somebody: Somebody) -> None:
    hall.allow(guests="no")
    ada, eve = somebody("Ada"), somebody("Eve", confirmed=False)
    hall.order(40, ada.email, person_id=ada.id)
    hall.order(40, by_hub=True)
    assert hall.code_of_refusal(email=eve.email, person_id=eve.id) == "guests_not_served"
    assert hall.code_of_refusal() == "guests_not_served"


def test_an_order_that_nobody_confirms_gives_its_goods_back(hall: Hall, clock: ManualClock) -> None:
    before = hall.free()
    order = hall.order(5, secret=SECRET)
    clock.advance(minutes=59)
    hall.work()
    assert hall.read_order(order).state == "Held"
    clock.advance(minutes=1)
    hall.work()
    assert (hall.read_order(order).state, hall.free()) == ("Cancelled", before)


def test_a_confirmed_order_stands_though_it_is_unpaid(hall: Hall, clock: ManualClock) -> None:
    order = hall.order(secret=SECRET)
    hall.follow_link(order)
    clock.advance(hours=2)
    hall.work()
    assert hall.read_order(order).state == "Held"


def test_a_paid_order_stands_though_nobody_confirms_it(hall: Hall, clock: ManualClock) -> None:
    order = hall.order(secret=SECRET)
    hall.pay(order)
    clock.advance(hours=2)
    hall.work()
    assert hall.read_order(order).state == "Held"


def test_unpaid_orders_expire_where_the_hub_wants_it(hall: Hall, clock: ManualClock) -> None:
    hall.allow(guests="yes", unpaid_hours=2)
    unpaid, paid = hall.order(), hall.order()
    hall.pay(paid)
    clock.advance(hours=1, minutes=59)
    hall.work()
    assert hall.read_order(unpaid).state == "Held", "its link need not be followed"
    clock.advance(minutes=1)
    hall.work()
    assert [hall.read_order(order).state for order in (unpaid, paid)] == ["Cancelled", "Held"]


def test_no_order_expires_while_the_clock_is_in_doubt(hall: Hall, clock: ManualClock) -> None:
    hall.allow(guests="yes", unpaid_hours=2)
    order, right = hall.order(), clock.now()
    with hall.instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    clock.advance(days=1500)
    hall.work()
    clock.set(right)
    clock.advance(hours=1)
    hall.work()
    assert hall.read_order(order).state == "Held", "the clock was wrong, and the guest has an hour left"
    clock.advance(hours=1)
    hall.work()
    assert hall.read_order(order).state == "Cancelled"


EXPIRED = {
    ("en", "link"): (
        "Nobody followed the link",
        "Order again, and follow the link",
        "somebody else typed your address",
    ),
    ("fr", "link"): ("n’a pas été ouvert à temps", "Commandez de nouveau et ouvrez", "a saisi votre adresse"),
    ("en", "yes"): ("was not paid in time", "Order again and pay in time", "If you have paid, write to shop"),
    ("fr", "yes"): ("n’a pas été payée à temps", "Commandez de nouveau et payez", "Si vous avez payé, écrivez à shop"),
}


@pytest.mark.parametrize(("language", "guests"), EXPIRED)
def test_a_guest_reads_why_the_order_expired_and_what_to_do(
    hall: Hall, clock: ManualClock, language: str, guests: Literal["link", "yes"]
) -> None:
    hall.allow(guests=guests, unpaid_hours=2)
    hall.order(secret=SECRET, language=language)
    clock.advance(hours=2)
    hall.work()
    mails = hall.mails_to_guest()
    (mail,) = (mail for mail in mails if EXPIRED[language, guests][0] in mail)
    assert len(mails) == 2, "the confirmation and this one: no second e-mail says only that it was cancelled"
    for text in EXPIRED[language, guests]:
        assert text in mail
    assert "/sales/shop-session\n" in mail


def test_the_time_to_confirm_ends_with_the_sale(hall: Hall, clock: ManualClock) -> None:
    clock.advance(hours=23, minutes=30)
    early = hall.order(secret=SECRET)
    clock.advance(minutes=25)
    late = hall.order()
    clock.advance(minutes=5)
    hall.work()
    assert [hall.read_order(order).state for order in (early, late)] == ["Cancelled", "Held"]
    clock.advance(minutes=5)
    hall.work()
    assert hall.read_order(late).state == "Cancelled", "who orders at the last moment has ten minutes"


def test_after_the_close_an_expired_guest_is_not_asked_to_order_again(hall: Hall, clock: ManualClock) -> None:
    clock.advance(hours=23, minutes=30)
    hall.order(secret=SECRET)
    clock.advance(hours=1)
    hall.work()
    (mail,) = (mail for mail in hall.mails_to_guest() if "Nobody followed the link" in mail)
    assert "The sale is over. If you still need the goods, ask shop." in mail
    assert "Order again" not in mail


def test_the_hub_gets_one_mail_about_all_that_expired(hall: Hall, clock: ManualClock) -> None:
    orders = [hall.order(), hall.order()]
    clock.advance(hours=1)
    hall.work()
    clock.advance(hours=1)
    hall.work()
    mails = [file.read_text(encoding="utf-8") for file in (hall.instance.folder / "mail").glob("*.eml")]
    (mail_to_shop,) = [mail for mail in mails if "\nTo: shop <shop@example.org>" in mail]
    assert ", ".join(str(order.number) for order in orders) in mail_to_shop
    clock.advance(days=1)
    hall.work()
    with hall.store.read() as tx:
        assert tx.value(select(func.count()).select_from(guest_order)) == 0


def test_a_change_does_not_go_round_the_limit(hall: Hall) -> None:
    order = hall.order(30)
    with pytest.raises(Refused, match="Guests may order"), hall.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        change_order(tx, hall.instance.hooks, locked, items={hall.item: 31})
    hall.allow(largest_unpaid=10_000)
    with hall.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        change_order(tx, hall.instance.hooks, locked, items={hall.item: 29})  # a smaller order is always allowed


def test_the_mail_tells_until_when_to_confirm(hall: Hall) -> None:
    hall.order(secret=SECRET)
    hall.work()
    (mail_file,) = (hall.instance.folder / "mail").glob("*.eml")
    assert "Please confirm your order by" in mail_file.read_text(encoding="utf-8").replace("=\n", "")


def test_a_policy_that_helps_nobody_is_refused_with_every_mistake(hall: Hall) -> None:
    with pytest.raises(Invalid) as error:
        hall.allow(guests="yes", orders_of_mailbox=0, confirm_minutes=1, largest_unpaid=-1)
    assert {problem.where for problem in error.value.problems} == {
        "/unpaid_hours",
        "/orders_of_mailbox",
        "/confirm_minutes",
        "/largest_unpaid",
    }


def test_a_guest_over_http_is_counted_by_their_address(hall: Hall, client: TestClient) -> None:
    hall.allow(orders_of_network=1)
    wish = {"items": {hall.item: 1}, "name": "G"}
    place = "/api/sale-sessions/shop-session/orders"
    responses = [
        client.post(place, json={**wish, "email": f"g{key}@example.org"}, headers={**HERE, "Idempotency-Key": key})
        for key in "ab"
    ]
    assert [response.status_code for response in responses] == [201, 422]
    assert responses[1].json()["code"] == "too_many_guest_orders"


def test_from_where_guests_ordered_is_forgotten(hall: Hall, clock: ManualClock) -> None:
    hall.allow(guests="yes", unpaid_hours=2000)
    order = hall.order(client_address="192.0.2.1")
    with hall.store.write() as tx:
        assert forget_guest_orders(tx) == 0
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
        assert forget_guest_orders(tx) == 1


def test_without_the_count_a_sale_is_emptied(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables the guard."""

    def admit_everybody(tx: object, shop: SaleContext, **kwargs: Any) -> Callable[[], guests.Guest]:
        terms = guests.GuestTerms(confirm_by=None, pay_by=None)
        return lambda: guests.Guest(enterprise_id=shop.enterprise_id, mailbox="", network="", terms=terms)

    monkeypatch.setattr("commensal.orders.place.ask_to_admit", admit_everybody)
    hall.order(100)
    assert hall.free() == 0
