"""Members: who may become one, and that there is always an owner."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from commensal.base.errors import Conflict, Invalid, NotFound, Refused
from commensal.enterprises import members
from commensal.enterprises.enterprises import Enterprise, create_enterprise
from commensal.enterprises.members import add_member, change_role, list_members, member_by_id, remove_member
from commensal.people.people import Person, disable_person
from commensal.storage.database import Store

Somebody = Callable[..., Person]


def create_farm(store: Store, owner: Person) -> Enterprise:
    values = {"name": "La Ferme", "language": "fr", "timezone": "Europe/Paris"}
    with store.write() as tx:
        return create_enterprise(tx, owner_id=owner.id, currency="EUR", **values)  # type: ignore[arg-type]


def roles_by_name(store: Store, enterprise: Enterprise) -> dict[str, str]:
    with store.read() as tx:
        return {member.name: member.role for member in list_members(tx, enterprise.id)}


def test_members_are_added_changed_and_removed(store: Store, somebody: Somebody) -> None:
    ferme = create_farm(store, somebody("Ada"))
    eve = somebody("Eve")
    with store.write() as tx:
        added = add_member(tx, ferme.id, email=" EVE@example.org", role="packer")
        assert (added.person_id, added.email, added.role, added.since) == (eve.id, eve.email, "packer", tx.now)
        assert change_role(tx, ferme.id, eve.id, role="manager").role == "manager"
        assert member_by_id(tx, ferme.id, eve.id).role == "manager"
    assert roles_by_name(store, ferme) == {"Ada": "owner", "Eve": "manager"}
    with store.write() as tx:
        remove_member(tx, ferme.id, eve.id)
        with pytest.raises(NotFound):
            remove_member(tx, ferme.id, eve.id)
        with pytest.raises(NotFound):
            change_role(tx, ferme.id, eve.id, role="packer")
    assert roles_by_name(store, ferme) == {"Ada": "owner"}


def test_nobody_is_let_in_by_an_address_that_is_not_proved(store: Store, somebody: Somebody) -> None:
    ferme = create_farm(store, somebody("Ada"))
    somebody("Eve", confirmed=False)
    zoe = somebody("Zoe")
    with store.write() as tx:
        disable_person(tx, zoe.id)
        for name in ("eve", "zoe", "nobody"):
            with pytest.raises(Refused) as error:
                add_member(tx, ferme.id, email=f"{name}@example.org", role="manager")
            assert error.value.code == "unknown_person"


def test_mistakes_are_named(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    ferme = create_farm(store, ada)
    with store.write() as tx:
        with pytest.raises(Invalid) as error:
            add_member(tx, ferme.id, email="no address", role="boss")
        assert {problem.where for problem in error.value.problems} == {"/email", "/role"}
        with pytest.raises(Invalid):
            change_role(tx, ferme.id, ada.id, role="boss")
        with pytest.raises(Conflict, match="already"):
            add_member(tx, ferme.id, email=ada.email, role="packer")
        with pytest.raises(NotFound):
            add_member(tx, "none", email=ada.email, role="packer")
    assert roles_by_name(store, ferme) == {"Ada": "owner"}


def test_an_enterprise_has_a_limited_number_of_members(
    store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MOST", 1)
    ferme = create_farm(store, somebody("Ada"))
    eve = somebody("Eve")
    with store.write() as tx, pytest.raises(Conflict, match="1 members"):
        add_member(tx, ferme.id, email=eve.email, role="packer")


def test_the_last_owner_stays_one(store: Store, somebody: Somebody) -> None:
    ada, eve = somebody("Ada"), somebody("Eve")
    ferme = create_farm(store, ada)
    with store.write() as tx:
        add_member(tx, ferme.id, email=eve.email, role="manager")
        with pytest.raises(Conflict, match="only owner"):
            remove_member(tx, ferme.id, ada.id)
        with pytest.raises(Conflict, match="only owner"):
            change_role(tx, ferme.id, ada.id, role="manager")
        assert change_role(tx, ferme.id, ada.id, role="owner").role == "owner"
        change_role(tx, ferme.id, eve.id, role="owner")
        remove_member(tx, ferme.id, ada.id)
    assert roles_by_name(store, ferme) == {"Eve": "owner"}


def test_owners_who_leave_at_the_same_moment_leave_one_behind(store: Store, somebody: Somebody) -> None:
    owners = [somebody(name) for name in ("Ada", "Eve", "Zoe", "Max")]
    ferme = create_farm(store, owners[0])
    with store.write() as tx:
        for owner in owners[1:]:
            add_member(tx, ferme.id, email=owner.email, role="owner")
    barrier, conflicts = threading.Barrier(len(owners)), []

    def leave(person: Person) -> None:
        barrier.wait()
        try:
            with store.write() as tx:
                remove_member(tx, ferme.id, person.id)
        except Conflict as error:
            conflicts.append(error)

    threads = [threading.Thread(target=leave, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(roles_by_name(store, ferme).values()) == ["owner"]
    assert len(conflicts) == 1
