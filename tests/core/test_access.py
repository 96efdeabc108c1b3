"""Who may do what at an enterprise: deny by default, and a stranger is not told that it exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from commensal.base.errors import Forbidden, NotFound, Refused, Unauthorised
from commensal.enterprises.access import demand, demand_session
from commensal.enterprises.grants import grant, grants_of
from commensal.enterprises.members import change_role
from commensal.enterprises.tables import enterprise, enterprise_member
from commensal.parts.approvals.proposing import needs_second_person
from commensal.parts.copies.homes import leave_home, stay_home
from commensal.parts.mail.to_people import members_who_may
from commensal.parts.membership import hand_over
from commensal.people.actor import ENTERPRISE_SCOPES, GRANTS, NOBODY, OPERATOR, PUBLIC, ROLES, SELF, TAKING_MONEY, Actor
from commensal.people.people import Person
from commensal.storage.database import Store

Acting = Callable[..., Actor]


@pytest.fixture
def acting(store: Store, somebody: Callable[..., Person]) -> Acting:
    """Returns actors with a session and a role at an enterprise."""

    def make(name: str, role: str = "", at: str = "hub", **kwargs: Any) -> Actor:
        person = somebody(name, **kwargs)
        with store.write() as tx:
            if role:
                row = {"enterprise_id": at, "person_id": person.id, "role": role, "since": tx.now}
                tx.execute(insert(enterprise_member).values(**row))
        return Actor(person_id=person.id, session_hash="hash", confirmed=True, is_operator=person.is_operator)

    return make


def scopes_allowed(store: Store, actor: Actor, at: str) -> frozenset[str]:
    """Returns the enterprise scopes that `demand` allows this actor at the enterprise `at`."""
    scopes = set()
    with store.read() as tx:
        for scope in ENTERPRISE_SCOPES:
            try:
                demand(tx, actor, scope, at)
            except Refused:
                continue
            scopes.add(scope)
    return frozenset(scopes)


def test_nobody_may_do_what_is_public_and_nothing_else(store: Store, village: Any) -> None:
    with store.read() as tx:
        demand(tx, NOBODY, PUBLIC)
        demand(tx, NOBODY, PUBLIC, "hub")
        for scope in (SELF, OPERATOR, "orders:read"):
            with pytest.raises(Unauthorised):
                demand(tx, NOBODY, scope, "hub")


@pytest.mark.parametrize("role", ROLES)
def test_a_member_may_do_what_the_role_says_there_and_nothing_elsewhere(
    store: Store, village: Any, acting: Acting, role: str
) -> None:
    actor = acting("Ada", role, at="stranger")
    assert scopes_allowed(store, actor, "stranger") == ROLES[role]
    assert scopes_allowed(store, actor, "farm") == frozenset()


@pytest.mark.parametrize("role", ROLES)
def test_who_may_take_money_may_do_so_and_nothing_else_in_addition(
    store: Store, village: Any, acting: Acting, role: str
) -> None:
    actor = acting("Ada", role, at="stranger")
    with store.write() as tx:
        tx.execute(update(enterprise_member).values(takes_money=True))
    assert scopes_allowed(store, actor, "stranger") == ROLES[role] | TAKING_MONEY.get(role, frozenset())
    assert "payments:take" in scopes_allowed(store, actor, "stranger")


def test_an_enterprise_that_has_left_gives_nobody_the_right_to_record_money(
    store: Store, village: Any, acting: Acting
) -> None:
    packer = acting("Max", "packer")
    with store.write() as tx:
        change_role(tx, "hub", packer.person_id or "", role="packer", takes_money=True)
        before = leave_home(tx, "hub")
    assert scopes_allowed(store, packer, "hub") == ROLES["accountant"]
    with store.write() as tx:
        stay_home(tx, "hub", before)
    assert scopes_allowed(store, packer, "hub") == ROLES["packer"] | {"payments:take"}


def test_an_enterprise_that_has_left_lets_nobody_edit_it_by_a_grant(store: Store, village: Any, acting: Acting) -> None:
    manager = acting("Ada", "manager", at="stranger")
    with store.write() as tx:
        grant(tx, "farm", "stranger", "WriteProducts")
        granted_before = grants_of(tx, "farm", "stranger")
    may_before = scopes_allowed(store, manager, "farm")
    assert "products:write" in may_before
    with store.write() as tx:
        rights = leave_home(tx, "farm")
    assert scopes_allowed(store, manager, "farm") == GRANTS["ReadProducts"]
    with store.write() as tx:
        stay_home(tx, "farm", rights)
        assert grants_of(tx, "farm", "stranger") == granted_before
    assert scopes_allowed(store, manager, "farm") == may_before


def test_a_stranger_is_not_told_that_the_enterprise_exists(store: Store, village: Any, acting: Acting) -> None:
    eve = acting("Eve")
    with store.read() as tx:
        for enterprise_id in ("hub", "no such enterprise"):
            with pytest.raises(NotFound) as error:
                demand(tx, eve, "orders:read", enterprise_id)
            assert str(error.value) == "There is nothing here."


def test_a_packer_is_told_what_the_role_lacks(store: Store, village: Any, acting: Acting) -> None:
    packer = acting("Max", "packer")
    with store.read() as tx:
        demand(tx, packer, "orders:pack", "hub")
        with pytest.raises(Forbidden, match="this: Take, change and cancel orders"):
            demand(tx, packer, "orders:write", "hub")


def test_a_token_may_do_less_than_its_owner_and_never_more(store: Store, village: Any, acting: Acting) -> None:
    owner, packer = acting("Ada", "owner"), acting("Max", "packer")
    scopes = frozenset({"orders:read", "orders:write"})
    token = replace(owner, session_hash=None, token_id="t", token_scopes=scopes)
    assert scopes_allowed(store, token, "hub") == scopes
    assert scopes_allowed(store, replace(packer, token_id="u", token_scopes=scopes), "hub") == {"orders:read"}
    with store.read() as tx:
        demand(tx, token, PUBLIC)
        with pytest.raises(Forbidden, match="products:write"):
            demand(tx, token, "products:write", "hub")
        with pytest.raises(Forbidden, match="self"):
            demand(tx, token, SELF)
    with pytest.raises(Forbidden):
        demand_session(token)
    demand_session(owner)


def test_a_token_of_one_enterprise_does_not_see_another(store: Store, village: Any, acting: Acting) -> None:
    ada = acting("Ada", "owner")
    with store.write() as tx:
        row = {"enterprise_id": "farm", "person_id": ada.person_id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(**row))
    token = replace(ada, token_id="t", token_scopes=frozenset({"orders:read"}), token_enterprise="hub")
    assert scopes_allowed(store, token, "hub") == {"orders:read"}
    with store.read() as tx, pytest.raises(NotFound):
        demand(tx, token, "orders:read", "farm")


@pytest.mark.parametrize("scope", GRANTS)
def test_a_grant_opens_what_it_says_and_no_more(store: Store, village: Any, acting: Acting, scope: str) -> None:
    ada = acting("Ada", "manager")
    with store.write() as tx:
        grant(tx, "stranger", "hub", scope)
    assert scopes_allowed(store, ada, "stranger") == GRANTS[scope]


def test_a_grant_of_products_opens_products_to_those_whose_role_includes_them(
    store: Store, village: Any, acting: Acting
) -> None:
    manager, packer = acting("Ada", "manager"), acting("Max", "packer")
    with store.write() as tx:
        grant(tx, "stranger", "hub", "WriteProducts")
    assert scopes_allowed(store, manager, "stranger") == {"products:read", "products:write"}
    assert scopes_allowed(store, packer, "stranger") == {"products:read"}


def test_a_grant_reaches_neither_back_nor_further(store: Store, village: Any, acting: Acting) -> None:
    grantor, stranger = acting("Ada", "owner", at="stranger"), acting("Eve", "owner", at="dairy")
    with store.write() as tx:
        grant(tx, "stranger", "hub", "WriteProducts")
        grant(tx, "hub", "dairy", "WriteProducts")
    assert scopes_allowed(store, grantor, "hub") == frozenset()
    assert scopes_allowed(store, stranger, "stranger") == frozenset()


def test_only_operators_operate_and_that_opens_no_enterprise(store: Store, village: Any, acting: Acting) -> None:
    root, ada = acting("Root", operator=True), acting("Ada", "owner")
    with store.read() as tx:
        demand(tx, root, OPERATOR)
        with pytest.raises(Forbidden):
            demand(tx, ada, OPERATOR)
    assert scopes_allowed(store, root, "hub") == frozenset()


def test_a_scope_that_nobody_wrote_down_is_a_mistake_of_ours(store: Store, village: Any, acting: Acting) -> None:
    ada = acting("Ada", "owner")
    with store.read() as tx, pytest.raises(AssertionError, match="orders:eat"):
        demand(tx, ada, "orders:eat", "hub")


# ------------------------------------------------------------------------------- what a hub keeps


@pytest.fixture
def farm_of_hub(store: Store, village: Any) -> None:
    """The hub keeps the farm, which has no members."""
    keep(store, "farm", "hub")


def keep(store: Store, enterprise_id: str, by: str) -> None:
    with store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(kept_by=by))


def test_what_a_hub_keeps_and_that_has_left_is_edited_by_nobody(
    store: Store, farm_of_hub: None, acting: Acting
) -> None:
    owner = acting("Ada", "owner")
    assert scopes_allowed(store, owner, "farm") >= ROLES["owner"]
    with store.write() as tx:
        rights = leave_home(tx, "farm")
    assert not [scope for scope in scopes_allowed(store, owner, "farm") if scope.endswith(":write")]
    with store.write() as tx:
        stay_home(tx, "farm", rights)
    assert scopes_allowed(store, owner, "farm") >= ROLES["owner"]


def test_money_of_what_a_hub_keeps_asks_for_two_of_its_people(store: Store, farm_of_hub: None, acting: Acting) -> None:
    acting("Ada", "owner")
    with store.read() as tx:
        assert not needs_second_person(tx, "farm"), "who is alone is not locked out"
    acting("Max", "manager")
    with store.read() as tx:
        assert needs_second_person(tx, "farm")


def test_who_works_at_the_hub_gets_the_mails_of_what_it_keeps(store: Store, farm_of_hub: None, acting: Acting) -> None:
    acting("Ada", "owner")
    acting("Max", "packer")
    with store.read() as tx:
        assert [to.name for to in members_who_may(tx, "farm", "orders:write")] == ["Ada"]


def test_what_is_kept_is_kept_by_who_has_members(store: Store, farm_of_hub: None, acting: Acting) -> None:
    """No two keep each other, which no mail would survive, and nothing is kept by what is kept itself."""
    ada, eve = acting("Ada", "owner").person_id or "", acting("Eve", "owner", at="dairy").person_id or ""
    keep(store, "stranger", "dairy")
    with store.write() as tx:
        tx.execute(update(enterprise).values(is_hub=False))
        for producer in ("hub", "dairy"):
            grant(tx, producer, "farm", "WriteProducts")
        with pytest.raises(NotFound):
            hand_over(tx, "hub", "farm", by=ada)
        hand_over(tx, "dairy", "farm", by=eve)
        keepers = {row["id"]: row["kept_by"] for row in tx.all(select(enterprise.c.id, enterprise.c.kept_by))}
    assert keepers == {"hub": None, "farm": "hub", "dairy": "hub", "stranger": "hub"}
