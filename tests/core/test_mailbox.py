"""What a stranger can send to the mailbox of a victim: few mails an hour, and no links."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Problem
from commensal.base.texts import refuse_links
from commensal.enterprises.tables import enterprise_member
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import order_mail
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.accounts.confirmations import ask_reset
from commensal.parts.mail import capping
from commensal.parts.mail.capping import forget_counts, may_send
from commensal.parts.mail.log import mails_of_order
from commensal.parts.membership.invitations import invite
from commensal.parts.serving.work import work_of
from commensal.people.email import mailbox_of
from commensal.people.people import Person
from commensal.people.sessions import remember_browser
from commensal.people.tables import mailbox_count
from commensal.storage.database import Store, insert_rows
from commensal.storage.jobs import Job, Work, enqueue, enqueue_all
from commensal.storage.jobs.run import run_due
from commensal.testing.placed import a_lot, a_shop, an_item

from .test_people_api import GOOD, HERE

MOST = 3
VICTIM = "victim@example.org"
Somebody = Callable[..., Person]


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, limits=replace(settings.limits, mails=MOST))


class Shop:
    """A shop where guests order, and the mails that it sends."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self._secrets = instance, 0
        with instance.store.write() as tx:
            a_shop(tx)
            self.item = an_item(tx, a_lot(tx, on_hand="1000"), name="Carottes", price=100)

    def order(self, email: str = VICTIM, **kwargs: Any) -> Order:
        self._secrets += 1
        wish = Wish(items={self.item: 1}, name="V", email=email, language="en")
        origin = kwargs or {"secret": f"{'x' * 42}{self._secrets}"}
        with self.instance.store.write() as tx:
            return place_order(tx, self.instance.hooks, "shop-session", wish, **origin)

    def change(self, order: Order, pieces: int) -> None:
        with self.instance.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            change_order(tx, self.instance.hooks, locked, items={self.item: pieces})

    def cancel(self, order: Order) -> None:
        with self.instance.store.write() as tx:
            cancel_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))

    def mails(self) -> list[str]:
        """Sends the mails that are due and returns the text of all sent ones."""
        while run_due(self.instance, work_of(self.instance)):
            pass
        return [file.read_text(encoding="utf-8") for file in sorted((self.instance.folder / "mail").glob("*.eml"))]


@pytest.fixture
def shop(instance: Instance) -> Shop:
    return Shop(instance)


def test_a_mailbox_gets_few_mails_of_guests_and_every_order_stands(shop: Shop, clock: ManualClock) -> None:
    orders = [shop.order() for _ in range(8)]
    assert {order.state for order in orders} == {"Held"}
    assert len(shop.mails()) == MOST
    clock.advance(minutes=59)
    assert len(shop.mails()) == MOST
    clock.advance(minutes=1)
    assert len(shop.mails()) == 2 * MOST, "mails held back are late, and not lost"
    clock.advance(hours=1)
    assert len(shop.mails()) == 8


def test_a_day_has_a_limit_too(shop: Shop, clock: ManualClock) -> None:
    for _ in range(5):
        for _ in range(MOST):
            shop.order()
        shop.mails()
        clock.advance(hours=1)
    assert len(shop.mails()) == 3 * MOST
    clock.advance(hours=20)
    assert len(shop.mails()) == 4 * MOST


def test_one_late_mail_stands_for_all_that_happened_to_the_order(shop: Shop, clock: ManualClock) -> None:
    for _ in range(MOST):
        shop.order()
    last = shop.order()
    shop.mails()
    for pieces in range(2, 9):
        shop.change(last, pieces)
    assert len(shop.mails()) == MOST
    clock.advance(hours=1)
    late_mails = shop.mails()[MOST:]
    assert len(late_mails) == 1
    assert "8 =C3=97 Carottes" in late_mails[0] or "8 × Carottes" in late_mails[0], "it tells the order's present state"


def test_a_late_mail_about_an_order_that_was_cancelled_says_so(shop: Shop, clock: ManualClock) -> None:
    for _ in range(MOST):
        shop.order()
    last = shop.order()
    shop.mails()
    shop.cancel(last)
    clock.advance(hours=1)
    assert "ancel" in shop.mails()[MOST:][0].partition("Subject:")[2].partition("\n")[0]


def test_who_has_proved_their_address_gets_every_mail_and_so_does_a_member_of_the_hub(
    shop: Shop, somebody: Somebody
) -> None:
    ada, packer = somebody("Ada"), somebody("Pia")
    with shop.instance.store.write() as tx:
        membership = {"enterprise_id": "shop", "person_id": packer.id, "role": "packer", "since": tx.now}
        insert_rows(tx, enterprise_member, [membership])
    for _ in range(MOST + 2):
        shop.order(ada.email, person_id=ada.id)
        shop.order(packer.email, by_hub=True)
    assert len(shop.mails()) == 2 * (MOST + 2)


def test_a_hub_fills_no_mailbox_with_orders_that_nobody_asked_for(
    shop: Shop, somebody: Somebody, clock: ManualClock
) -> None:
    """Nor do mails about what it does with them. Whether somebody with an account reads the mailbox makes no difference
    that the hub could see."""
    ada = somebody("Ada")
    for email in (VICTIM, ada.email):
        sent_before = len(shop.mails())
        orders = [shop.order(email, by_hub=True) for _ in range(MOST + 2)]
        with shop.instance.store.write() as tx:
            enqueue_all(tx, [mail for order in orders for mail in order_mail(order, "order_ready")])
        counts = []
        for _ in range(3):
            counts.append(len(shop.mails()) - sent_before)
            clock.advance(hours=1)
        assert counts == [MOST, 2 * MOST, MOST + len(orders)], "one late mail stands for all about an order"


def test_a_mail_that_is_held_back_is_shown_with_the_moment_at_which_it_leaves(shop: Shop, clock: ManualClock) -> None:
    orders = [shop.order(by_hub=True) for _ in range(MOST + 1)]
    shop.mails()

    def log(order: Order) -> list[tuple[str, datetime]]:
        with shop.instance.store.read() as tx:
            return [(mail.state, mail.at) for mail in mails_of_order(tx, "shop", order.id)]

    at = clock.now()
    assert (log(orders[0]), log(orders[-1])) == ([("sent", at)], [("waiting", at + timedelta(hours=1))])
    clock.advance(hours=1)
    shop.mails()
    assert log(orders[-1]) == [("sent", at + timedelta(hours=1))]


def test_a_late_mail_to_somebody_who_proved_the_address_meanwhile_waits_no_more(
    shop: Shop, somebody: Somebody, clock: ManualClock
) -> None:
    order = [shop.order(by_hub=True) for _ in range(MOST + 1)][-1]
    shop.mails()
    reader = somebody("Victim")
    with shop.instance.store.write() as tx:
        membership = {"enterprise_id": "shop", "person_id": reader.id, "role": "packer", "since": tx.now}
        insert_rows(tx, enterprise_member, [membership])
    clock.advance(hours=1)
    assert len(shop.mails()) == MOST + 1
    with shop.instance.store.read() as tx:
        assert [mail.state for mail in mails_of_order(tx, "shop", order.id)] == ["sent"]


def test_whoever_has_an_account_writes_to_themselves_and_not_to_a_victim(shop: Shop, somebody: Somebody) -> None:
    """And an account whose address was never confirmed proves nothing: what it orders counts as a stranger's."""
    ada, eve = somebody("Ada"), somebody("Victim", confirmed=False)
    for _ in range(MOST + 1):
        shop.order(VICTIM, person_id=ada.id)
    mails = shop.mails()
    assert mails
    assert all(f"To: V <{ada.email}>" in mail for mail in mails)
    for _ in range(MOST + 1):
        shop.order(VICTIM, person_id=eve.id)
    assert len(shop.mails()) == len(mails) + MOST


def test_sign_ups_and_resets_are_capped_too(client: TestClient, instance: Instance, shop: Shop) -> None:
    for number in range(5):
        wish = {"email": f"victim+{number}@example.org", "name": "V", "password": GOOD}
        assert client.post("/api/people", json=wish, headers=HERE).status_code == 202
    assert len(shop.mails()) == MOST
    shop.order()
    assert len(shop.mails()) == MOST + 1, "orders count apart, so that neither hides the other"


def test_whoever_invites_an_address_keeps_its_owner_from_no_new_password(
    instance: Instance, shop: Shop, somebody: Somebody
) -> None:
    """Nor does anything else that strangers cause for it."""
    somebody("Victim")
    with instance.store.write() as tx:
        for _ in range(MOST + 1):
            invite(tx, "shop", email=VICTIM, role="packer", language="en", person_id=None)
        ask_reset(tx, VICTIM, address="192.0.2.1", browser="")
    mails = shop.mails()
    assert len(mails) == MOST + 1
    assert sum("/reset/" in mail for mail in mails) == 1


@pytest.mark.parametrize("strangers", [["203.0.113.9"], [f"203.0.113.{number}" for number in range(9)]])
def test_who_asks_again_and_again_for_a_new_password_keeps_the_owner_from_none(
    strangers: list[str], instance: Instance, shop: Shop, somebody: Somebody
) -> None:
    """One stranger leaves room for the owner anywhere, and many do for a browser that the owner has used before."""
    victim = somebody("Victim")
    with instance.store.write() as tx:
        browser = remember_browser(tx, victim.id, "") if len(strangers) > 1 else ""
        for address in strangers * (2 * MOST):
            ask_reset(tx, VICTIM, address=address, browser="a browser of a stranger")
    from_strangers = len(shop.mails())
    with instance.store.write() as tx:
        ask_reset(tx, VICTIM, address="192.0.2.1", browser=browser)
    assert (from_strangers <= MOST, len(shop.mails()) - from_strangers) == (True, 1)


def test_mails_that_leave_at_once_are_all_counted(instance: Instance, store: Store) -> None:
    def leave(number: int) -> bool:
        payload = {"kind": "confirm_email", "to": VICTIM, "language": "en"}
        return store.transact(lambda tx: may_send(tx, Job(str(number), "mail", payload, 1), most=MOST))

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(leave, range(10))).count(True) == MOST


def test_counting_a_mail_takes_one_statement(store: Store) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    payload = {"kind": "confirm_email", "to": VICTIM, "language": "en"}
    store.transact(lambda tx: may_send(tx, Job("j", "mail", payload, 1), most=MOST))
    assert len([text for text in statements if "mailbox_count" in text]) == 1


def test_who_has_filled_the_hour_and_the_day_waits_for_both(store: Store, clock: ManualClock) -> None:
    """A mail beyond a limit is counted in neither window."""
    began_at = clock.now()
    for hour in range(5):
        clock.set(began_at + timedelta(hours=hour))
        with store.write() as tx:
            ends = [capping._check_limits(tx, VICTIM, "order", MOST) for _ in range(MOST + 1)]
        hour_ends, day_ends = began_at + timedelta(hours=hour + 1), began_at + timedelta(days=1)
        if hour < 2:
            assert ends == [None] * MOST + [hour_ends]
        elif hour == 2:
            assert ends == [None] * MOST + [day_ends], "nine in a day"
        else:
            assert ends == [day_ends] * (MOST + 1)


def test_a_mail_that_is_tried_again_counts_once_and_stays_held_back(instance: Instance, clock: ManualClock) -> None:
    """Whatever happened to the first try: a worker may be killed before it records that the mail was held back."""
    answers: dict[str, list[bool]] = {"first": [], "second": []}

    def fail(instance: Instance, job: Job) -> None:
        may_leave = instance.store.transact(lambda tx: may_send(tx, job, most=1))
        answers[job.payload["name"]].append(may_leave)
        raise OSError("the worker has gone away")

    for name in answers:
        with instance.store.write() as tx:
            enqueue(tx, "mail", {"kind": "confirm_email", "to": VICTIM, "language": "en", "name": name})
        clock.advance(seconds=1)
    for _ in range(3):
        while run_due(instance, Work({"mail": fail})):
            pass
        clock.advance(minutes=6)
    assert answers == {"first": [True, True, True], "second": [False, False, False]}


def test_a_late_mail_that_could_not_be_delivered_is_late_only_once(shop: Shop, clock: ManualClock) -> None:
    """Its next try leaves, though other mails have filled the mailbox meanwhile."""
    for _ in range(MOST + 1):
        shop.order()
    assert len(shop.mails()) == MOST
    clock.advance(hours=1)
    folder = shop.instance.folder / "mail"
    aside = folder.rename(folder.with_name("aside"))
    folder.touch()  # a file where the folder should be: nothing is delivered
    run_due(shop.instance, work_of(shop.instance))
    folder.unlink()
    aside.rename(folder)
    for _ in range(MOST):
        shop.order()
    assert len(shop.mails()) == 2 * MOST - 1, "the late mail counts for this hour"
    clock.advance(minutes=1)
    assert len(shop.mails()) == 2 * MOST


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("victim+shop@example.org", "victim@example.org"),
        ("v.i.c@gmail.com", "vic@gmail.com"),
        ("v.i.c@example.org", "v.i.c@example.org"),
        ("+a@example.org", "+a@example.org"),
    ],
)
def test_variants_of_an_address_are_one_mailbox(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox


def test_counts_are_forgotten_after_their_day(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        may_send(tx, Job("j", "mail", {"kind": "confirm_email", "to": VICTIM, "language": "en"}, 1), most=1)
    clock.advance(days=1, seconds=1)
    with store.write() as tx:
        assert forget_counts(tx) == 1
        assert tx.value(select(func.count()).select_from(mailbox_count)) == 0


def test_without_the_count_the_mailbox_is_full(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables the guard."""
    monkeypatch.setattr(capping, "_check_limits", lambda tx, email, about, most: None)
    for _ in range(14):
        shop.order()
    assert len(shop.mails()) == 14


# ------------------------------------------------------------------------------------------------ links in names

_BAD = (
    "your account is blocked, click http://evil.example/x",
    "www.evil.example",
    "Click evil.example now",
    "EVIL．EXAMPLE",
    "evil。example",
    "javascript:/x",
    "bank@evil.example",
    "203.0.113.7",
    "Ada evil.com.",
    "http\u200b://evil\u200b.example",
    "evil\u00ad.example",
    "x.evil.example",
    "-evil.example",
    "Ada e-v.example",
    "evil.a.example",
    "0+-javascript:/x",
    "t.co/abc",
    "evil.рф",
)
_GOOD = (
    "Ada Martin",
    "J.-P. Dupont",
    "St. Martin",
    "M. O’Neill",
    "Mme D. 3e étage",
    "Ada (n° 12)",
    "A.M.A.P.",
    "ÉTÉ",
    "M.-C.Dupont",
    "J.Dupont",
    "12:/3",
    "А.С.Пушкин",
    "おわり。つづき",
)


def test_a_name_with_a_link_is_refused_wherever_strangers_write_one(client: TestClient, shop: Shop) -> None:
    for number, name in enumerate(_BAD):
        response_to_sign_up = client.post(
            "/api/people", json={"email": VICTIM, "name": name, "password": GOOD}, headers=HERE
        )
        wish = {"items": {shop.item: 1}, "name": name, "email": VICTIM}
        headers = [{**HERE, "Idempotency-Key": f"{field} {number}"} for field in ("name", "address")]
        place = "/api/sale-sessions/shop-session/orders"
        response_to_name = client.post(place, json=wish, headers=headers[0])
        wish |= {"name": "V", "address": {"street": name, "city": "Bourg"}}
        response_to_address = client.post(place, json=wish, headers=headers[1])
        problems = [
            (response.status_code, response.json()["errors"][0]["pointer"])
            for response in (response_to_sign_up, response_to_name, response_to_address)
        ]
        assert problems == [(422, "/name"), (422, "/name"), (422, "/address/street")], name


@pytest.mark.parametrize(
    "name",
    ["\u200b", "\u2060 \u200d", "Eve \u202egro.elpmaxe", "Eve \u2067x", "Eve\u2028x", "Eve\ufffe", "Eve\U0001ffff"],
)
def test_a_name_that_nobody_sees_or_that_turns_what_follows_is_refused(
    client: TestClient, shop: Shop, name: str
) -> None:
    wish = {"items": {shop.item: 1}, "name": name, "email": VICTIM}
    place = "/api/sale-sessions/shop-session/orders"
    response = client.post(place, json=wish, headers={**HERE, "Idempotency-Key": "1"})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/name")


def test_a_change_brings_no_link_either(client: TestClient, shop: Shop) -> None:
    order = shop.order()
    address = {"street": "see http://evil.example", "city": "Bourg"}
    headers = {**HERE, "If-Match": f'"{order.version}"'}
    response = client.patch(f"/api/guest-orders/{'x' * 42}1", json={"address": address}, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/address/street")


@pytest.mark.parametrize("name", _GOOD)
def test_names_of_people_are_no_links(name: str) -> None:
    problems: list[Problem] = []
    refuse_links(name, "/name", problems)
    assert problems == []
