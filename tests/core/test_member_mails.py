"""Members hear by mail that their rights have changed: in their language, once, and not of what they did themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.errors import Conflict
from commensal.enterprises.members import add_member, change_role, remove_member
from commensal.enterprises.roles import create_role, edit_role, remove_role
from commensal.people.actor import Actor
from commensal.people.people import Person, change_person, disable_person
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_shop

from .conftest import MakeMember

Join = Callable[..., Person]


@pytest.fixture
def owner(store: Store, member: MakeMember) -> Actor:
    with store.write() as tx:
        a_shop(tx)
    return member("owner")


@pytest.fixture
def join(store: Store, owner: Actor, somebody: Callable[..., Person]) -> Join:
    """Makes somebody who reads English, or another language, a member of the shop."""

    def join(name: str, role: str = "manager", language: str = "en") -> Person:
        person = somebody(name)
        with store.write() as tx:
            change_person(tx, person.id, person.version, language=language)
            add_member(tx, "shop", email=person.email, role=role)
        return person

    return join


def told(store: Store) -> list[tuple[str, str, str, str]]:
    """Kind, name of the reader, language, and role of each mail that was promised, in their order."""
    with store.read() as tx:
        mails: list[Any] = [
            row["payload"] for row in tx.all(select(job).where(job.c.kind == "mail").order_by(job.c.id))
        ]
    return [
        (mail["kind"], mail["name"], mail["language"], mail["values"]["role_name"] or mail["values"]["role"])
        for mail in mails
    ]


def test_a_member_hears_of_another_role_once_in_their_language(store: Store, owner: Actor, join: Join) -> None:
    eve = join("Eve", language="fr")
    with store.write() as tx:
        change_role(tx, "shop", eve.id, role="packer", by=owner.person_id or "")
        change_role(tx, "shop", eve.id, role="packer", by=owner.person_id or "")
    assert told(store) == [("role_changed", "Eve", "fr", "packer")]


def test_a_member_hears_that_they_may_take_money_now(store: Store, owner: Actor, join: Join) -> None:
    eve, bob = join("Eve", "packer"), join("Bob", "manager")
    with store.write() as tx:
        change_role(tx, "shop", eve.id, role="packer", takes_money=True, by=owner.person_id or "")
        change_role(tx, "shop", bob.id, role="manager", takes_money=True, by=owner.person_id or "")
    assert told(store) == [("rights_changed", "Eve", "en", "packer")], "managers may do so anyway"


def test_all_who_have_a_role_hear_that_it_gives_something_else(store: Store, owner: Actor, join: Join) -> None:
    with store.write() as tx:
        role = create_role(tx, owner, "shop", name="Stall", scopes=["orders:read"]).id
    join("Eve", role)
    join("Bea", role, language="fr")
    join("Zoe", "packer")
    with store.write() as tx:
        edit_role(tx, owner, "shop", role, 1, name="Market", scopes=["orders:read"])
    assert told(store) == [], "it gives what it gave, under another name"
    with store.write() as tx:
        edit_role(tx, owner, "shop", role, 2, name="Market", scopes=["orders:read", "audit:read"])
    assert told(store) == [("rights_changed", "Bea", "fr", "Market"), ("rights_changed", "Eve", "en", "Market")]


def test_who_changes_the_role_that_they_have_is_not_told_of_it(store: Store, owner: Actor, join: Join) -> None:
    with store.write() as tx:
        role = create_role(tx, owner, "shop", name="Stall", scopes=["orders:read"]).id
    eve = join("Eve", role)
    with store.write() as tx:
        edit_role(tx, replace(owner, person_id=eve.id), "shop", role, 1, name="Stall", scopes=[])
    assert told(store) == []


def test_a_member_hears_that_they_were_removed_and_not_that_they_left(store: Store, owner: Actor, join: Join) -> None:
    eve, bea = join("Eve"), join("Bea")
    with store.write() as tx:
        remove_member(tx, "shop", eve.id, by=owner.person_id or "")
        remove_member(tx, "shop", bea.id, by=bea.id)
    assert told(store) == [("member_removed", "Eve", "en", "")]


def test_all_who_had_a_role_that_is_taken_away_hear_what_they_have_now(store: Store, owner: Actor, join: Join) -> None:
    with store.write() as tx:
        stall, office = (
            create_role(tx, owner, "shop", name=name, scopes=["orders:read"]).id for name in ("Stall", "Office")
        )
    join("Eve", stall)
    join("Bea", stall, language="fr")
    join("Zoe", "packer")
    with store.write() as tx:
        remove_role(tx, "shop", stall, 1, instead=office, by=owner.person_id or "")
    assert told(store) == [("role_changed", "Bea", "fr", "Office"), ("role_changed", "Eve", "en", "Office")]


def test_nobody_is_told_of_what_was_refused_or_without_an_account(store: Store, owner: Actor, join: Join) -> None:
    eve = join("Eve")
    with pytest.raises(Conflict), store.write() as tx:
        change_role(tx, "shop", owner.person_id or "", role="packer")
    with store.write() as tx:
        disable_person(tx, eve.id)
        change_role(tx, "shop", eve.id, role="packer", by=owner.person_id or "")
    assert told(store) == []
