"""Households: a second person shares a customer; what they reach is the household's alone, and it ends with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorised
from commensal.catalogs.tables import offer
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import change_customer, create_customer, customers_of_person
from commensal.enterprises.households import (
    forget_household_invitations,
    household_invitations_to,
    households_of,
    people_of_households,
)
from commensal.enterprises.tables import customer_person
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.proof import prove_order
from commensal.orders.questions import changeable_orders, order_by_id, order_by_secret, orders_of_person, usual_items
from commensal.orders.sale_context import known_customer
from commensal.orders.values import Identity, Order, Wish
from commensal.parts.accounts import joining
from commensal.parts.accounts.joining import (
    MOST,
    accept_household_invitation,
    decline_household_invitation,
    invite_to_household,
    leave_household,
    remove_from_household,
    withdraw_household_invitation,
)
from commensal.parts.privacy.export import data_of, subject_of
from commensal.parts.privacy.forgetting import forget_person
from commensal.people.codes import fingerprint
from commensal.people.people import NewPerson, Person, add_person
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item

PRICE, PRICE_OF_MEMBERS = 250, 100  # of an apple


@dataclass
class Table:
    """A shop where Ada is a customer with the prices of members. Bob shares her customer; Eve and Cora do not."""

    store: Store
    hooks: Hooks
    apples: str
    record: str
    ada: Person
    bob: Person
    cora: Person
    eve: Person

    def order(self, person: Person, pieces: int = 1) -> Order:
        wish = Wish(items={self.apples: pieces}, name=person.name, email=person.email)
        with self.store.write() as tx:
            return place_order(tx, self.hooks, "shop-session", wish, person_id=person.id)

    def reads(self, person: Person, order: Order) -> bool:
        with self.store.read() as tx:
            try:
                order_by_id(tx, order.id, person_id=person.id)
            except NotFound:
                return False
            return True

    def history(self, person: Person) -> list[str]:
        with self.store.read() as tx:
            return [order.id for order in orders_of_person(tx, person.id)]

    def joins(self, person: Person) -> None:
        with self.store.write() as tx:
            invite_to_household(tx, self.ada.id, self.record, email=person.email)
            (invitation,) = household_invitations_to(tx, person.id)
            accept_household_invitation(tx, person.id, invitation.id)

    def leaves(self, person: Person, *, by: Person) -> None:
        with self.store.write() as tx:
            leave_household(tx, by.id, self.record, person.id)


@pytest.fixture
def table(store: Store, settings: InstanceSettings, clock: Any) -> Table:
    with store.write() as tx:
        a_shop(tx)
        apples = an_item(tx, a_lot(tx, name="Apples", on_hand="100"), name="Apples", price=PRICE)
        members = create_category(tx, "shop", name="Members").id
        price = {"item_id": apples, "category_id": members, "price": PRICE_OF_MEMBERS, "version": 1}
        tx.execute(insert(offer).values(id=tx.new_id(), **price))
        people = []
        for name in ("Ada", "Bob", "Cora", "Eve"):
            new = NewPerson(email=f"{name.lower()}@example.org", name=name, phone="", language="en", password_hash="")
            person = add_person(tx, new, confirmed=True)
            assert person is not None
            people.append(person)
        record = create_customer(tx, "shop", email=people[0].email, name="Ada", categories=[members]).id
    table = Table(store, load_plugins(settings, clock=clock), apples, record, *people)
    table.joins(table.bob)
    return table


# ------------------------------------------------------------------------------------------- what is shared


def test_both_see_and_change_the_orders_of_the_household(table: Table) -> None:
    by_ada, by_bob = table.order(table.ada), table.order(table.bob)
    assert (by_bob.customer_id, by_bob.identity, by_bob.person_id) == (table.record, Identity.PROVEN, table.bob.id)
    both = [by_bob.id, by_ada.id]
    assert (table.history(table.ada), table.history(table.bob), table.history(table.eve)) == (both, both, [])
    with table.store.write() as tx:
        for person, order in ((table.ada, by_bob), (table.bob, by_ada)):
            locked = locked_order(tx, order.id, person_id=person.id)
            assert change_order(tx, table.hooks, locked, items={table.apples: 2}, by=person.id).total == 200
            joinable = changeable_orders(tx, "shop-session", person_id=person.id)
            assert [changeable.id for changeable, _ in joinable] == both
            assert usual_items(tx, "shop-session", person.id) == {table.apples}
        cancel_order(tx, table.hooks, locked_order(tx, by_ada.id, person_id=table.bob.id), by=table.bob.id)


def test_everybody_of_it_orders_at_its_prices_and_as_its_customer(table: Table) -> None:
    """Bob has a record and a group of his own too: of two records one counts, so its prices are used once."""
    with table.store.write() as tx:
        own_group = create_category(tx, "shop", name="Bob’s group").id
        own = create_customer(tx, "shop", email=table.bob.email, name="Bob", categories=[own_group])
        known = known_customer(tx, "shop", table.bob.id)
        assert own_group not in known.category_ids
        assert known == known_customer(tx, "shop", table.ada.id)
        assert [record.id for record in customers_of_person(tx, table.bob.id)] == [table.record]
    assert table.order(table.bob).total == PRICE_OF_MEMBERS
    table.leaves(table.bob, by=table.bob)
    order = table.order(table.bob)
    assert (order.customer_id, order.total) == (own.id, PRICE)


def test_a_hub_that_orders_for_the_address_of_somebody_in_a_household_orders_for_the_household(table: Table) -> None:
    wish = Wish(items={table.apples: 1}, name="Bob", email=table.bob.email)
    with table.store.write() as tx:
        order = place_order(tx, table.hooks, "shop-session", wish, by_hub=True)
    assert (order.customer_id, order.total) == (table.record, PRICE_OF_MEMBERS)
    assert table.reads(table.bob, order)


def test_an_order_that_somebody_proves_by_mail_joins_the_household(table: Table) -> None:
    wish = Wish(items={table.apples: 1}, name="Bob", email=table.bob.email)
    with table.store.write() as tx:
        order = place_order(tx, table.hooks, "shop-session", wish, secret="of the browser")
        secret = fingerprint(str(mailed_secret(tx, order.id)))
        proven = prove_order(tx, secret, person_id=table.bob.id)
    assert proven.customer_id == table.record
    assert table.reads(table.ada, order)
    with table.store.read() as tx:
        assert order_by_secret(tx, secret, person_id=table.ada.id).id == order.id
        with pytest.raises(Unauthorised):
            order_by_secret(tx, secret)
        with pytest.raises(Forbidden):
            order_by_secret(tx, secret, person_id=table.eve.id)


def test_an_address_that_was_only_typed_brings_nothing_into_the_household(table: Table) -> None:
    """By a guest, or by an account whose own address is not confirmed: it opens to that account alone."""
    new = NewPerson(email="uma@example.org", name="Uma", phone="", language="en", password_hash="")
    with table.store.write() as tx:
        uma = add_person(tx, new)
        assert uma is not None
        for email in (table.ada.email, table.bob.email):
            wish = Wish(items={table.apples: 1}, name="Uma", email=email)
            by_guest = place_order(tx, table.hooks, "shop-session", wish, secret=f"secret of {email}")
            by_uma = place_order(tx, table.hooks, "shop-session", wish, person_id=uma.id)
            assert (by_guest.total, by_uma.total) == (PRICE, PRICE)
    assert (table.history(table.ada), table.history(table.bob), len(table.history(uma))) == ([], [], 2)


# ------------------------------------------------------------------------------------------- who may do what


def test_only_the_founder_invites_and_removes(table: Table) -> None:
    with table.store.write() as tx:
        invite_to_household(tx, table.ada.id, table.record, email=table.cora.email)
        (invitation,) = next(home for home in households_of(tx, table.ada.id)).invitations
        (seen_by_bob,) = households_of(tx, table.bob.id)
        assert (seen_by_bob.is_founder, seen_by_bob.founder_name, seen_by_bob.invitations) == (False, "Ada", ())
        for stranger in (table.bob, table.eve):
            with pytest.raises(NotFound):
                invite_to_household(tx, stranger.id, table.record, email="third@example.org")
            with pytest.raises(NotFound):
                withdraw_household_invitation(tx, stranger.id, table.record, invitation.id)
            with pytest.raises(NotFound):
                leave_household(tx, stranger.id, table.record, table.ada.id)
        with pytest.raises(NotFound):
            leave_household(tx, table.eve.id, table.record, table.bob.id)
        with pytest.raises(NotFound):
            remove_from_household(tx, "another", table.record, table.bob.id)
        withdraw_household_invitation(tx, table.ada.id, table.record, invitation.id)
        assert household_invitations_to(tx, table.cora.id) == []


def test_with_the_check_of_the_founder_taken_out_a_stranger_invites(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: any customer is the own one."""
    monkeypatch.setattr(joining, "_lock_own_customer", lambda tx, person_id, customer_id: "shop")
    with table.store.write() as tx:
        assert invite_to_household(tx, table.eve.id, table.record, email=table.cora.email) == table.cora.email


def test_an_invitation_is_for_whoever_has_confirmed_the_address(table: Table, clock: ManualClock) -> None:
    new = NewPerson(email="uma@example.org", name="Uma", phone="", language="en", password_hash="")
    with table.store.write() as tx:
        uma = add_person(tx, new)
        assert uma is not None
        for email in (uma.email, table.cora.email):
            invite_to_household(tx, table.ada.id, table.record, email=email)
        assert household_invitations_to(tx, uma.id) == []
        (invitation,) = household_invitations_to(tx, table.cora.id)
        for answer in (accept_household_invitation, decline_household_invitation):
            with pytest.raises(Forbidden, match="confirm"):
                answer(tx, uma.id, invitation.id)
            with pytest.raises(NotFound):
                answer(tx, table.eve.id, invitation.id)
        decline_household_invitation(tx, table.cora.id, invitation.id)
        assert household_invitations_to(tx, table.cora.id) == []
        invite_to_household(tx, table.ada.id, table.record, email=table.cora.email)
    clock.advance(days=8)
    clock.advance(days=7)
    with table.store.write() as tx:
        assert household_invitations_to(tx, table.cora.id) == []
        assert forget_household_invitations(tx) == 2


def test_it_is_refused_with_a_reason(table: Table) -> None:
    with table.store.write() as tx:
        own = create_customer(tx, "shop", email=table.bob.email, name="Bob")
        for email, error in ((table.ada.email, "your address already"), ("nobody", "address")):
            with pytest.raises(Invalid, match=error):
                invite_to_household(tx, table.ada.id, table.record, email=email)
        with pytest.raises(Conflict, match="share your account already"):
            invite_to_household(tx, table.ada.id, table.record, email=table.bob.email)
        with pytest.raises(Conflict, match="Leave it first"):
            invite_to_household(tx, table.bob.id, own.id, email=table.cora.email)
        for number in range(MOST - 1):
            invite_to_household(tx, table.ada.id, table.record, email=f"guest{number}@example.org")
        with pytest.raises(Conflict, match="At most"):
            invite_to_household(tx, table.ada.id, table.record, email=table.cora.email)


def test_nobody_belongs_to_two_households_of_a_shop_and_no_founder_joins_another(table: Table) -> None:
    with table.store.write() as tx:
        of_cora = create_customer(tx, "shop", email=table.cora.email, name="Cora").id
        for email in (table.ada.email, table.bob.email):
            invite_to_household(tx, table.cora.id, of_cora, email=email)
        for person, error in ((table.ada, "Remove them first"), (table.bob, "Leave it first")):
            (invitation,) = household_invitations_to(tx, person.id)
            with pytest.raises(Conflict, match=error), tx.attempt():
                accept_household_invitation(tx, person.id, invitation.id)


def test_people_of_a_household_learn_names_and_addresses_of_each_other_and_nothing_else(table: Table) -> None:
    with table.store.read() as tx:
        (seen,) = households_of(tx, table.bob.id)
        (shared,) = seen.people
    assert (seen.founder_name, seen.founder_email) == ("Ada", table.ada.email)
    assert set(type(shared).__dataclass_fields__) == {"person_id", "name", "email", "since"}


def test_who_is_invited_and_who_has_invited_get_a_mail(table: Table) -> None:
    with table.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))]
    assert [(mail["kind"], mail["to"], mail["name"]) for mail in mails] == [
        ("household_invitation", table.bob.email, "Ada"),
        ("household_joined", table.ada.email, "Ada"),
    ]
    assert mails[1]["values"] == {"shop": "shop", "other": f"Bob <{table.bob.email}>"}


# ------------------------------------------------------------------------------------------- how it ends


@pytest.mark.parametrize("by", ["themselves", "the founder", "the shop"])
def test_who_has_left_reaches_nothing_of_the_household(table: Table, by: str) -> None:
    by_ada, by_bob = table.order(table.ada), table.order(table.bob)
    if by == "the shop":
        with table.store.write() as tx:
            remove_from_household(tx, "shop", table.record, table.bob.id)
    else:
        table.leaves(table.bob, by=table.bob if by == "themselves" else table.ada)
    assert table.history(table.bob) == []
    assert not table.reads(table.bob, by_ada)
    with table.store.read() as tx:
        passed_on = order_by_id(tx, by_bob.id, person_id=table.ada.id)
        assert (passed_on.person_id, passed_on.name, passed_on.email) == (table.ada.id, "Ada", table.ada.email)
        assert known_customer(tx, "shop", table.bob.id).customer_id is None
        assert people_of_households(tx, [table.record]) == {}


def test_what_somebody_ordered_before_they_joined_stays_theirs_alone(table: Table) -> None:
    before = table.order(table.cora)
    table.joins(table.cora)
    assert table.reads(table.cora, before)
    assert not table.reads(table.ada, before)
    assert not table.reads(table.bob, before)


@pytest.mark.parametrize("name", ["ada", "bob"])
def test_the_erasure_of_either_ends_it(table: Table, name: str) -> None:
    person: Person = getattr(table, name)
    with table.store.write() as tx:
        invite_to_household(tx, table.ada.id, table.record, email=table.cora.email)
        forget_person(tx, table.hooks, subject_of(tx, person), years=10)
        assert tx.all(select(customer_person)) == []
        assert len(household_invitations_to(tx, table.cora.id)) == (0 if name == "ada" else 1)
        assert known_customer(tx, "shop", table.bob.id).customer_id is None


def test_the_archive_of_a_person_has_their_household_and_not_the_record_of_the_founder(table: Table) -> None:
    with table.store.read() as tx:
        data = data_of(tx, table.hooks, subject_of(tx, table.bob))
        of_ada = data_of(tx, table.hooks, subject_of(tx, table.ada))
    assert [row["customer_id"] for row in data["customer_person"]] == [table.record]
    assert "customer" not in data
    assert [row["person_id"] for row in of_ada["customer_person"]] == [table.bob.id]


def test_what_the_shop_writes_about_the_customer_reaches_both(table: Table) -> None:
    with table.store.write() as tx:
        group = create_category(tx, "shop", name="Volunteers").id
        change_customer(tx, "shop", table.record, 1, categories=[group])
        assert known_customer(tx, "shop", table.bob.id).category_ids == {group}
