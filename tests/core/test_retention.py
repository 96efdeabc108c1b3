"""Data that is no longer needed is deleted: notes, addresses of guests, people who stay away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from commensal.base.clock import ManualClock
from commensal.enterprises.customers import customer_for
from commensal.enterprises.tables import customer, enterprise_member
from commensal.instance import Instance
from commensal.instance.settings import RetentionSettings
from commensal.orders.tables import customer_order
from commensal.parts.privacy.retention import RetentionReport, apply_retention
from commensal.people.people import add_person, new_person
from commensal.people.tables import person
from commensal.storage.idempotency import idempotent_answer
from commensal.testing.placed import a_placed_order, a_shop

PASSWORD = "a long enough password"
DEFAULTS = RetentionSettings()


def run(instance: Instance, settings: RetentionSettings = DEFAULTS) -> RetentionReport:
    with instance.store.write() as tx:
        return apply_retention(tx, instance.hooks, settings)


@pytest.fixture
def with_people(instance: Instance) -> Instance:
    """An instance with a shop of Ada, an account for her and one for Bob, and the customer Zoé."""
    with instance.store.write() as tx:
        a_shop(tx)
        for name in ("ada", "bob"):
            new = new_person(email=f"{name}@example.org", name=name, password=PASSWORD, language="en")
            account = add_person(tx, new, confirmed=True)
            assert account is not None
            if name == "ada":
                row: Any = {"enterprise_id": "shop", "person_id": account.id, "role": "owner", "since": tx.now}
                tx.execute(insert(enterprise_member).values(row))
        customer_for(tx, "shop", email="zoe@example.org", name="Zoé")
    return instance


def test_people_who_stay_away_for_three_years_are_forgotten_and_those_who_run_a_shop_are_not(
    with_people: Instance, clock: ManualClock
) -> None:
    clock.advance(days=1094)
    assert run(with_people).people == []
    clock.advance(days=2)
    assert run(with_people).people == ["bob@example.org", "zoe@example.org"]
    assert run(with_people).people == []
    with with_people.store.read() as tx:
        assert tx.value(select(func.count()).where(person.c.email == "ada@example.org")) == 1
        assert str(tx.value(select(customer.c.email))).endswith("@forgotten.invalid")


def test_who_has_ordered_lately_stays(with_people: Instance, clock: ManualClock) -> None:
    clock.advance(days=1000)
    with with_people.store.write() as tx:
        zoe = customer_for(tx, "shop", email="zoe@example.org", name="Zoé")
        a_placed_order(tx, customer_id=zoe.id, email="zoe@example.org", name="Zoé")
    clock.advance(days=100)
    assert run(with_people).people == ["bob@example.org"]


def test_who_shares_their_account_with_somebody_who_orders_stays(with_people: Instance, clock: ManualClock) -> None:
    with with_people.store.write() as tx:
        bob_id = tx.value(select(person.c.id).where(person.c.email == "bob@example.org"))
        cora = add_person(tx, new_person(email="c@example.org", name="C", password=PASSWORD, language="en"))
        assert cora is not None
        record = customer_for(tx, "shop", email="bob@example.org", name="Bob", person_id=bob_id)
    clock.advance(days=1000)
    with with_people.store.write() as tx:
        settled: dict[str, Any] = {
            "state": "Complete",
            "payment_state": "Paid",
            "fulfilment_state": "Fulfilled",
            "paid_total": 1000,
        }
        order: dict[str, Any] = {
            "customer_id": record.id,
            "person_id": cora.id,
            "email": cora.email,
            "identity": "proven",
        }
        a_placed_order(tx, **order, **settled)
    clock.advance(days=100)
    assert run(with_people).people == ["zoe@example.org"]


def test_who_owes_or_is_owed_something_stays_and_is_named(with_people: Instance, clock: ManualClock) -> None:
    with with_people.store.write() as tx:
        zoe = customer_for(tx, "shop", email="zoe@example.org", name="Zoé")
        a_placed_order(tx, customer_id=zoe.id, email="zoe@example.org", name="Zoé", state="Complete")
    clock.advance(days=1100)
    result = run(with_people)
    assert [email for email, _ in result.refused] == ["zoe@example.org"]
    assert "not settled" in str(result.refused[0][1])


def test_notes_go_thirty_days_after_the_distribution(with_people: Instance, clock: ManualClock) -> None:
    with with_people.store.write() as tx:
        a_placed_order(tx, note="no nuts, please", plugin_fields={"tour": {"gate": "12B"}})
    clock.advance(days=31)
    assert run(with_people).notes == 0
    clock.advance(days=2)
    assert run(with_people, replace(DEFAULTS, notes_days=0)).notes == 0
    assert run(with_people).notes == 1
    with with_people.store.read() as tx:
        row = tx.one(select(customer_order.c.note, customer_order.c.plugin_fields))
    assert (row["note"], row["plugin_fields"]) == ("", {})


def test_answers_to_guests_go_with_their_ip_address_after_a_week(with_people: Instance, clock: ManualClock) -> None:
    with with_people.store.write() as tx:
        for actor in ("address:192.0.2.7", "person:ada"):
            answer = {"actor": actor, "key": "k", "request_hash": "h", "created_at": tx.now}
            tx.execute(insert(idempotent_answer).values(answer))
    clock.advance(days=8)
    assert run(with_people).answers == 1
    with with_people.store.read() as tx:
        assert tx.value(select(idempotent_answer.c.actor)) == "person:ada"
