"""Customers: one for each address at each enterprise, whoever they are, and the categories they are in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select

from commensal.base.errors import Conflict, Invalid, NotFound, Stale
from commensal.catalogs.tables import offer
from commensal.enterprises import customer_categories
from commensal.enterprises.customer_categories import create_category, delete_category, list_categories, rename_category
from commensal.enterprises.customers import (
    change_customer,
    create_customer,
    customer_by_id,
    customer_for,
    list_customers,
)
from commensal.enterprises.tables import customer
from commensal.people.people import Person
from commensal.storage.database import Store

Somebody = Callable[..., Person]


def test_a_customer_is_made_once_and_found_afterwards_by_one_statement(store: Store, village: Any) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.write() as tx:
        statements.clear()
        ada = customer_for(tx, "hub", email="ada@example.org", name="Ada", phone="01")
        assert len(statements) == 1
        ada_again = customer_for(tx, "hub", email="ada@example.org", name="Eve", phone="02")
        assert ada_again == ada
        assert (ada.name, ada.phone, ada.version, ada.categories) == ("Ada", "01", 1, frozenset())
        assert customer_for(tx, "farm", email="ada@example.org", name="Ada").id != ada.id


def test_a_customer_comes_with_their_categories(store: Store, village: Any) -> None:
    with store.write() as tx:
        category_ids = [create_category(tx, "hub", name=name).id for name in ("Staff", "Members")]
        other = create_category(tx, "hub", name="Neighbours").id
        create_customer(tx, "hub", email="eve@example.org", categories=[category_ids[0], other])
        ada = create_customer(tx, "hub", email="ada@example.org", categories=category_ids)
        assert ada.categories == frozenset(category_ids)
        assert customer_for(tx, "hub", email="ada@example.org", name="x") == ada
        assert list_customers(tx, "hub", limit=1) == [ada]


def test_a_customer_becomes_somebodys_only_by_their_own_confirmed_address(
    store: Store, village: Any, somebody: Somebody
) -> None:
    ada, eve, zoe = somebody("Ada"), somebody("Eve"), somebody("Zoe", confirmed=False)
    with store.write() as tx:
        assert customer_for(tx, "hub", email=ada.email, name="Ada").person_id is None
        assert customer_for(tx, "hub", email=ada.email, name="Ada", person_id=eve.id).person_id is None
        assert customer_for(tx, "hub", email=zoe.email, name="Zoe", person_id=zoe.id).person_id is None
        linked_customer = customer_for(tx, "hub", email=ada.email, name="Ada", person_id=ada.id)
        assert (linked_customer.person_id, linked_customer.version) == (ada.id, 2)
        assert customer_for(tx, "hub", email=ada.email, name="Ada", person_id=ada.id) == linked_customer
        assert customer_for(tx, "hub", email=eve.email, name="Eve", person_id=eve.id).person_id == eve.id


def test_many_orders_at_once_make_one_customer(store: Store, village: Any) -> None:
    count = 8
    barrier, ids = threading.Barrier(count), []

    def order() -> None:
        barrier.wait()
        with store.write() as tx:
            ids.append(customer_for(tx, "hub", email="ada@example.org", name="Ada").id)

    threads = [threading.Thread(target=order) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ids), len(set(ids))) == (count, 1)
    with store.read() as tx:
        assert tx.value(select(func.count()).select_from(customer)) == 1


def test_the_enterprise_writes_customers_down_itself(store: Store, village: Any, somebody: Somebody) -> None:
    ada, eve = somebody("Ada"), somebody("Eve", confirmed=False)
    with store.write() as tx:
        created = create_customer(tx, "hub", email=" ADA@example.org", name=" Ada ", code="A1", note="two\nlines")
        assert (created.email, created.name, created.code, created.note) == (ada.email, "Ada", "A1", "two\nlines")
        assert created.person_id == ada.id
        assert create_customer(tx, "hub", email=eve.email).person_id is None
        with pytest.raises(Conflict, match="already"):
            create_customer(tx, "hub", email=ada.email)
        with pytest.raises(Invalid, match="A1"):
            create_customer(tx, "hub", email="zoe@example.org", code="A1")
        assert create_customer(tx, "farm", email=ada.email, code="A1").code == "A1"
        with pytest.raises(Invalid) as error:
            create_customer(tx, "hub", email="no address", name="x" * 201, phone="12", code="x" * 41)
    assert {problem.where for problem in error.value.problems} == {"/email", "/name", "/phone", "/code"}


def test_a_number_from_the_time_when_any_text_was_taken_stays_until_another_is_typed(
    store: Store, village: Any
) -> None:
    with store.write() as tx:
        old = customer_for(tx, "hub", email="old@example.org", name="Old", phone="ask at the bakery")
        renamed = change_customer(tx, "hub", old.id, old.version, name="Older", phone=old.phone)
        assert (renamed.name, renamed.phone) == ("Older", "ask at the bakery")
        with pytest.raises(Invalid, match="not a telephone number"):
            change_customer(tx, "hub", old.id, renamed.version, phone="ask at the mill")


def test_a_change_is_guarded_by_version_enterprise_and_code(store: Store, village: Any) -> None:
    with store.write() as tx:
        staff = create_category(tx, "hub", name="Staff")
        foreign = create_category(tx, "farm", name="Staff")
        create_customer(tx, "hub", email="eve@example.org", code="E1")
        created = create_customer(tx, "hub", email="ada@example.org", name="Ada", code="A1")
        changed = change_customer(tx, "hub", created.id, 1, name="Ada L.", code="", categories=[staff.id])
        assert (changed.name, changed.code, changed.categories, changed.version) == (
            "Ada L.",
            None,
            frozenset({staff.id}),
            2,
        )
        with pytest.raises(Stale):
            change_customer(tx, "hub", created.id, 1, name="x")
        with pytest.raises(NotFound):
            change_customer(tx, "farm", created.id, 2, name="x")
        with pytest.raises(Invalid, match="E1"):
            change_customer(tx, "hub", created.id, 2, code="E1")
        assert change_customer(tx, "hub", created.id, 2, note="x").categories == {staff.id}
    with pytest.raises(Invalid, match="no category"), store.write() as tx:
        change_customer(tx, "hub", created.id, 3, categories=[staff.id, foreign.id])
    with store.write() as tx:
        assert change_customer(tx, "hub", created.id, 3, categories=[]).categories == frozenset()


def test_customers_are_searched_and_listed_page_by_page(store: Store, village: Any) -> None:
    with store.write() as tx:
        staff = create_category(tx, "hub", name="Staff")
        create_customer(tx, "hub", email="zoe@example.org", name="Zoé", code="Z-9", categories=[staff.id])
        create_customer(tx, "hub", email="ada@example.org", name="Ada")
        customer_for(tx, "hub", email="max@example.org", name="Max Œuf")
        create_customer(tx, "farm", email="eve@example.org", name="Eve")

        def names(**kwargs: Any) -> list[str]:
            return [match.name for match in list_customers(tx, "hub", **kwargs)]

        assert names() == ["Ada", "Max Œuf", "Zoé"]
        assert names(after="ada@example.org", limit=1) == ["Max Œuf"]
        assert names(search="zoe z-9") == names(category_id=staff.id) == ["Zoé"]
        assert names(search="OEUF") == ["Max Œuf"]
        change_customer(tx, "hub", list_customers(tx, "hub", search="max")[0].id, 1, name="Maxime")
        assert names(search="oeuf") == []


# ------------------------------------------------------------------------------------------------ categories


def test_categories_have_names_of_their_own(store: Store, village: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.write() as tx:
        staff = create_category(tx, "hub", name=" Staff ")
        assert (staff.name, staff.version) == ("Staff", 1)
        with pytest.raises(Invalid, match="already"):
            create_category(tx, "hub", name="Staff")
        with pytest.raises(Invalid, match="fill this in"):
            create_category(tx, "hub", name=" ")
        create_category(tx, "farm", name="Staff")
        members = create_category(tx, "hub", name="Members")
        with pytest.raises(Invalid, match="already"):
            rename_category(tx, "hub", members.id, 1, name="Staff")
        renamed = rename_category(tx, "hub", staff.id, 1, name="Team")
        assert list_categories(tx, "hub") == [renamed, members]
        with pytest.raises(Stale):
            rename_category(tx, "hub", staff.id, 1, name="x")
        with pytest.raises(NotFound):
            rename_category(tx, "farm", staff.id, 2, name="x")
        monkeypatch.setattr(customer_categories, "MOST", 2)
        with pytest.raises(Conflict, match="2 categories"):
            create_category(tx, "hub", name="One more")


def test_a_deleted_category_loses_its_customers_but_not_its_offers(store: Store, village: Any) -> None:
    item = village.items("hub", "farm")[0]
    with store.write() as tx:
        staff = create_category(tx, "hub", name="Staff")
        created = create_customer(tx, "hub", email="ada@example.org", categories=[staff.id])
        values = {"id": "o", "item_id": item, "category_id": staff.id, "price": 100, "version": 1}
        tx.execute(insert(offer).values(**values))
    with pytest.raises(Conflict, match="offers"), store.write() as tx:
        delete_category(tx, "hub", staff.id, 1)
    with store.write() as tx:
        assert customer_by_id(tx, "hub", created.id).categories == {staff.id}
        tx.execute(offer.delete())
        with pytest.raises(NotFound):
            delete_category(tx, "farm", staff.id, 1)
        with pytest.raises(Stale):
            delete_category(tx, "hub", staff.id, 2)
        delete_category(tx, "hub", staff.id, 1)
        after = customer_by_id(tx, "hub", created.id)
        assert (after.categories, after.version) == (frozenset(), 2)
        assert list_categories(tx, "hub") == []
