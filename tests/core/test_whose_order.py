"""Who owns an order: a typed address proves nothing, a proof makes it theirs, and the hub answers for its customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import NotFound, Refused, Unauthorised
from commensal.catalogs.tables import offer
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer, customer_by_id
from commensal.enterprises.tables import customer
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.guests import confirmed_at
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.proof import prove_order
from commensal.orders.questions import order_by_id, order_by_secret, orders_of_person
from commensal.orders.tables import customer_order
from commensal.orders.values import Identity, Order, Wish
from commensal.parts.accounts.confirmations import (
    ask_confirmation,
    ask_new_email,
    confirm_email,
    confirm_new_email,
    reset_password,
)
from commensal.parts.accounts.operators import add_confirmed_person, add_operator
from commensal.parts.order_corrections.reprice import claim_order, total_once_claimed
from commensal.parts.privacy.export import subject_of
from commensal.people.codes import fingerprint, mail_code
from commensal.people.people import NewPerson, Person, add_person
from commensal.people.tables import person_second_factor
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item

from ..mailed import code_in, waiting_mails

ADA = "ada@example.org"


@dataclass
class Hall:
    """A shop with apples and pears at 2.50; its members pay 1.00 for both. Ada is a member, by her address."""

    store: Store
    hooks: Hooks
    apples: str
    pears: str
    record: str

    def account(self, email: str, *, confirmed: bool = True) -> Person:
        new = NewPerson(email=email, name="Somebody", phone="", language="en", password_hash="")
        with self.store.write() as tx:
            person = add_confirmed_person(tx, new) if confirmed else add_person(tx, new)
            assert person is not None
            return person

    def place(self, email: str = ADA, *, secret: str | None = None, **kwargs: Any) -> Order:
        wish = Wish(items={self.apples: 2}, name="Ada", email=email)
        if secret is None and not kwargs:
            secret = "of the browser"
        with self.store.write() as tx:
            return place_order(tx, self.hooks, "shop-session", wish, secret=secret, **kwargs)

    def change(self, order: Order, items: dict[str, int]) -> Order:
        with self.store.write() as tx:
            return change_order(tx, self.hooks, locked_order(tx, order.id, enterprise_id="shop"), items=items)

    def read_order(self, order: Order) -> Order:
        with self.store.read() as tx:
            return order_by_id(tx, order.id, enterprise_id="shop")

    def history(self, person: Person) -> list[str]:
        with self.store.read() as tx:
            return [order.id for order in orders_of_person(tx, person.id)]

    def order_of(self, person: Person, order: Order) -> Order:
        with self.store.read() as tx:
            return order_by_id(tx, order.id, person_id=person.id)

    def mails(self) -> list[dict[str, Any]]:
        with self.store.read() as tx:
            return [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]

    def mailed_secret(self) -> str:
        """Returns the secret in the link of the last mail, which is sent now."""
        with self.store.write() as tx:
            mails = select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.created_at.desc(), job.c.id.desc())
            return str(mailed_secret(tx, tx.value(mails)["order_id"]))

    def prove(self, secret: str, person: Person | None = None) -> Order:
        with self.store.write() as tx:
            return prove_order(tx, fingerprint(secret), person_id=person.id if person else None)

    def claim(self, secret: str, person: Person | None = None) -> Order:
        with self.store.write() as tx:
            return claim_order(tx, self.hooks, fingerprint(secret), person_id=person.id if person else None)

    def confirm(self, person: Person) -> Person:
        with self.store.write() as tx:
            ask_confirmation(tx, person.email)
            return confirm_email(tx, code_in(tx, waiting_mails(tx)[-1]), person_id=person.id)


@pytest.fixture
def hall(store: Store, settings: InstanceSettings, clock: Any) -> Hall:
    with store.write() as tx:
        a_shop(tx)
        apples, pears = (an_item(tx, a_lot(tx, name=name, on_hand="100"), name=name) for name in ("Apples", "Pears"))
        members = create_category(tx, "shop", name="Members").id
        for item in (apples, pears):
            tx.execute(insert(offer).values(id=tx.new_id(), item_id=item, category_id=members, price=100, version=1))
        record = create_customer(tx, "shop", email=ADA, name="Ada", categories=[members]).id
    return Hall(store, load_plugins(settings, clock=clock), apples, pears, record)


def test_who_types_the_address_of_a_member_gets_nothing_of_theirs(hall: Hall) -> None:
    ada = hall.account(ADA)
    order = hall.place()
    assert (order.identity, order.customer_id, order.total) == (Identity.TYPED, None, 500)
    assert hall.read_order(order) == order
    assert hall.change(order, {hall.apples: 2, hall.pears: 1}).total == 750
    assert hall.history(ada) == []


def test_an_account_whose_address_is_not_confirmed_proves_nothing(hall: Hall) -> None:
    hall.account(ADA)
    eve = hall.account("eve@example.org", confirmed=False)
    order = hall.place(person_id=eve.id)
    assert (order.identity, order.customer_id) == (Identity.TYPED, None)
    assert hall.change(order, {hall.pears: 1}).total == 250


def test_somebody_else_who_is_logged_in_orders_as_themselves_whatever_they_type(hall: Hall) -> None:
    hall.account(ADA)
    eve = hall.account("eve@example.org")
    order = hall.place(person_id=eve.id)
    assert (order.identity, order.email) == (Identity.PROVEN, "eve@example.org")
    assert {mail["to"] for mail in hall.mails()} == {"eve@example.org"}, "not to Ada, who knows nothing of it"
    assert order.customer_id not in (None, hall.record)
    with hall.store.read() as tx:
        assert customer_by_id(tx, "shop", str(order.customer_id)).email == "eve@example.org"
    assert hall.change(order, {hall.pears: 1}).total == 250


def test_a_member_who_is_logged_in_gets_their_prices_with_the_first_order(hall: Hall) -> None:
    ada = hall.account(ADA)
    order = hall.place("elsewhere@example.org", person_id=ada.id)
    assert (order.identity, order.customer_id, order.total) == (Identity.PROVEN, hall.record, 200)
    assert hall.read_order(order).email == ADA
    assert hall.change(order, {hall.apples: 2, hall.pears: 1}).total == 300


def test_the_hub_answers_for_who_its_customer_is(hall: Hall) -> None:
    by_id = hall.place("typed@example.org", by_hub=True, customer_id=hall.record)
    by_address = hall.place(by_hub=True)
    for order in (by_id, by_address):
        assert (order.identity, order.customer_id, order.total) == (Identity.BY_HUB, hall.record, 200)
    with hall.store.write() as tx:
        a_shop(tx, "other")
        foreign_customer = create_customer(tx, "other", email="bob@example.org").id
    with pytest.raises(NotFound):
        hall.place(by_hub=True, customer_id=foreign_customer)


def test_a_platform_names_whom_it_likes_and_proves_nothing(hall: Hall) -> None:
    by_address = hall.place(by_hub=True, by_platform=True)
    assert (by_address.identity, by_address.customer_id, by_address.total) == (Identity.TYPED, None, 500)
    by_id = hall.place(by_hub=True, by_platform=True, customer_id=hall.record)
    assert (by_id.identity, by_id.customer_id, by_id.total) == (Identity.BY_HUB, hall.record, 200)


def test_a_record_that_belongs_to_another_is_not_had_by_confirming_its_address(hall: Hall) -> None:
    """Ada has changed her address, and another person has taken her old one."""
    ada = hall.account(ADA)
    with hall.store.write() as tx:
        tx.execute(update(customer).where(customer.c.id == hall.record).values(email="old@example.org"))
    new_owner = hall.account("old@example.org")
    order = hall.place("old@example.org", person_id=new_owner.id)
    assert (order.identity, order.customer_id, order.total) == (Identity.TYPED, None, 500)
    assert hall.place(person_id=ada.id).customer_id == hall.record


def test_what_another_account_has_ordered_with_an_address_is_not_handed_over_to_its_owner(hall: Hall) -> None:
    """Nor is it erased with her data: it tells about the person who ordered it."""
    ada, eve = hall.account(ADA), hall.account("eve@example.org", confirmed=False)
    of_eve, of_guest, of_ada = hall.place(person_id=eve.id), hall.place(), hall.place(person_id=ada.id)
    with hall.store.read() as tx:
        assert set(subject_of(tx, ada).order_ids) == {of_guest.id, of_ada.id}
        assert set(subject_of(tx, eve).order_ids) == {of_eve.id}


def test_a_new_password_does_not_prove_what_was_ordered_with_the_account_before(hall: Hall) -> None:
    """A stranger had signed up with Ada's address; she takes the account over by mail."""
    stranger = hall.account(ADA, confirmed=False)
    order = hall.place(person_id=stranger.id)
    with hall.store.write() as tx:
        mail_code(tx, ADA, "reset", kind="reset_password")
        reset_password(tx, code_in(tx, waiting_mails(tx)[-1]), "hash")
    assert (hall.read_order(order).identity, hall.read_order(order).customer_id) == (Identity.TYPED, None)
    assert hall.place(person_id=stranger.id).total == 200, "her orders from now on are hers"


# ------------------------------------------------------------------------------------------- proving it


def test_who_follows_the_mailed_link_has_proved_their_address(hall: Hall) -> None:
    order = hall.place()
    link = hall.mailed_secret()
    proven = hall.prove(link)
    assert (proven.id, proven.identity, proven.customer_id) == (order.id, Identity.PROVEN, hall.record)
    changed = hall.change(proven, {hall.apples: 2, hall.pears: 1})
    assert changed.total == 600, "what was ordered keeps its price"
    assert hall.prove(link) == changed, "proving twice changes nothing"


@pytest.mark.parametrize("logged_in", [True, False])
def test_an_order_that_is_claimed_costs_what_its_customer_pays_and_they_are_told(hall: Hall, logged_in: bool) -> None:
    ada, order = hall.account(ADA), hall.place()
    with hall.store.read() as tx:
        assert total_once_claimed(tx, hall.hooks, order, ada.id) == 200
    link = hall.mailed_secret()
    claimed = hall.claim(link, ada if logged_in else None)
    assert (claimed.identity, claimed.customer_id, claimed.total) == (Identity.PROVEN, hall.record, 200)
    assert [mail["kind"] for mail in hall.mails()] == ["order_placed", "order_changed"]
    assert hall.claim(link, ada if logged_in else None).lines == claimed.lines
    assert hall.change(claimed, {hall.apples: 3}).total == 300


def test_an_order_claimed_after_the_close_keeps_what_it_costs(hall: Hall, clock: ManualClock) -> None:
    ada, order = hall.account(ADA), hall.place()
    link = hall.mailed_secret()
    clock.advance(days=1, seconds=1)
    with hall.store.read() as tx:
        assert total_once_claimed(tx, hall.hooks, order, ada.id) is None
    assert (hall.claim(link, ada).total, len(hall.mails())) == (500, 1)


def test_nobody_pays_more_for_an_order_because_it_is_theirs(hall: Hall) -> None:
    """The members' price of pears went up; nobody has agreed to it."""
    with hall.store.write() as tx:
        of_members = offer.c.category_id.is_not(None)
        tx.execute(update(offer).where(of_members, offer.c.item_id == hall.apples).values(price=300))
    ada, order = hall.account(ADA), hall.place()
    claimed = hall.claim(hall.mailed_secret(), ada)
    assert (claimed.total, claimed.lines) == (500, order.lines)


def test_the_secret_of_the_browser_proves_nothing_and_opens_nothing_once_somebody_else_has_proved(hall: Hall) -> None:
    hall.place(secret="of the browser")
    secret = hall.mailed_secret()
    assert secret != "of the browser"
    with pytest.raises(Refused) as error:
        hall.prove("of the browser")
    assert error.value.code == "not_mailed"
    hall.prove(secret)
    with hall.store.read() as tx:
        assert order_by_secret(tx, fingerprint(secret)).identity is Identity.PROVEN
        with pytest.raises(NotFound):
            order_by_secret(tx, fingerprint("of the browser"))


def test_who_follows_the_link_while_logged_in_finds_the_order_in_their_history(hall: Hall) -> None:
    ada, order = hall.account(ADA), hall.place()
    secret = hall.mailed_secret()
    hall.prove(secret, ada)
    assert hall.history(ada) == [order.id]
    with hall.store.read() as tx, pytest.raises(Unauthorised):
        order_by_secret(tx, fingerprint(secret))


def test_somebody_else_who_is_logged_in_does_not_get_the_order_into_their_history(hall: Hall) -> None:
    hall.account(ADA)
    eve = hall.account("eve@example.org")
    hall.place()
    assert hall.prove(hall.mailed_secret(), eve).person_id is None
    assert hall.history(eve) == []


def test_reading_the_mail_is_not_enough_for_an_account_with_a_second_factor(hall: Hall) -> None:
    ada = hall.account(ADA)
    with hall.store.write() as tx:
        row = {"person_id": ada.id, "secret": "x", "created_at": tx.now, "confirmed_at": tx.now, "last_step": 0}
        tx.execute(insert(person_second_factor).values(row))
    hall.place()
    with pytest.raises(Refused) as error:
        hall.prove(hall.mailed_secret())
    assert error.value.code == "log_in_first"
    assert hall.prove(hall.mailed_secret(), ada).customer_id == hall.record


def test_an_account_that_confirms_its_address_gets_what_it_has_ordered_before_and_nothing_else(hall: Hall) -> None:
    eve = hall.account("eve@example.org", confirmed=False)
    with_account, typed_address = hall.place("eve@example.org", person_id=eve.id), hall.place("eve@example.org")
    by_hub, of_ada = hall.place("eve@example.org", by_hub=True), hall.place(ADA, person_id=eve.id)
    hall.confirm(eve)
    assert hall.read_order(of_ada).identity is Identity.TYPED, "Ada has still to follow the link"
    assert hall.read_order(with_account).identity is Identity.PROVEN
    assert hall.read_order(with_account).customer_id == hall.read_order(by_hub).customer_id is not None
    assert (hall.read_order(typed_address).identity, hall.read_order(typed_address).person_id) == (Identity.TYPED, None)
    assert sorted(hall.history(eve)) == sorted([with_account.id, by_hub.id, of_ada.id])
    with hall.store.read() as tx:
        moments = [confirmed_at(tx, order.id) for order in (with_account, typed_address, by_hub, of_ada)]
    assert [moment is not None for moment in moments] == [True, False, False, False]


# ------------------------------------------------------------------------------------------- orders by the hub


@pytest.mark.parametrize("by_id", [True, False])
def test_what_the_hub_orders_for_a_member_is_in_the_members_history(hall: Hall, by_id: bool) -> None:
    """Whether the account came before the customer, between the customer and the order, or after both."""
    customer_id = hall.record if by_id else None
    before = hall.place(by_hub=True, customer_id=customer_id)
    ada = hall.account(ADA)
    after = hall.place(by_hub=True, customer_id=customer_id)
    assert sorted(hall.history(ada)) == sorted([before.id, after.id])
    eve = hall.account("eve@example.org")
    first = hall.place("eve@example.org", by_hub=True)
    assert hall.history(eve) == [first.id] == [hall.order_of(eve, first).id]
    assert hall.order_of(ada, after).total == 200


def test_a_record_that_a_guest_has_typed_is_linked_when_the_hub_orders_for_it(hall: Hall) -> None:
    eve = hall.account("eve@example.org")
    typed = hall.place("eve@example.org")
    with hall.store.read() as tx:
        record = str(tx.value(select(customer.c.id).where(customer.c.email == "eve@example.org")))
    order = hall.place("typed@example.org", by_hub=True, customer_id=record)
    assert hall.history(eve) == [order.id]
    assert hall.read_order(typed).identity is Identity.TYPED


def test_whose_address_is_not_confirmed_does_not_see_what_the_hub_orders_for_it(hall: Hall) -> None:
    stranger = hall.account(ADA, confirmed=False)
    orders = [hall.place(by_hub=True), hall.place(by_hub=True, customer_id=hall.record)]
    hall.account("eve@example.org")
    assert hall.history(stranger) == []
    for order in orders:
        with pytest.raises(NotFound):
            hall.order_of(stranger, order)
    hall.confirm(stranger)
    assert sorted(hall.history(stranger)) == sorted(order.id for order in orders)


def test_a_platform_that_types_the_address_of_a_member_is_not_in_the_members_history(hall: Hall) -> None:
    ada = hall.account(ADA)
    hall.place(by_hub=True, by_platform=True)
    assert hall.history(ada) == []


# ------------------------------------------------------------------------------------------- the hub's wish


def _confirmed(hall: Hall) -> Person:
    return hall.confirm(hall.account(ADA, confirmed=False))


def _added_by_operator(hall: Hall) -> Person:
    return add_operator(hall.store, email=ADA, name="Ada", password="a long sentence", language="en", operator=False)


def _added_again_by_operator(hall: Hall) -> Person:
    hall.account(ADA, confirmed=False)
    return _added_by_operator(hall)


def _changed_address(hall: Hall) -> Person:
    ada = hall.account("before@example.org")
    with hall.store.write() as tx:
        ask_new_email(tx, ada.id, ADA)
        return confirm_new_email(tx, ada.id, code_in(tx, waiting_mails(tx)[-1]))


@pytest.mark.parametrize("confirm", [_confirmed, _added_by_operator, _added_again_by_operator, _changed_address])
def test_a_customer_whom_the_hub_added_gets_their_prices_however_their_address_is_confirmed(
    hall: Hall, confirm: Callable[[Hall], Person]
) -> None:
    ada = confirm(hall)
    with hall.store.read() as tx:
        assert tx.value(select(customer.c.person_id).where(customer.c.id == hall.record)) == ada.id
        assert tx.value(select(func.count()).select_from(customer_order)) == 0
    assert hall.place(person_id=ada.id).total == 200
