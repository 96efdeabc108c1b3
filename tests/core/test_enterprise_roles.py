"""Roles that an enterprise makes itself: they give what an owner names, at that enterprise, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from commensal import Instance
from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from commensal.enterprises import roles
from commensal.enterprises.access import demand, held_at, sees_amounts
from commensal.enterprises.grants import grant
from commensal.enterprises.members import change_role, list_members, memberships_of
from commensal.enterprises.roles import create_role, edit_role, list_roles, remove_role, scopes_given_by
from commensal.enterprises.tables import enterprise_role
from commensal.enterprises.tokens import make_token
from commensal.parts.copies.homes import leave_home, stay_home
from commensal.parts.mail.to_people import members_who_may
from commensal.parts.membership.invitations import accept_invitation, invitations_of, invitations_to, invite
from commensal.parts.serving.app import make_app
from commensal.people.actor import READ, Actor
from commensal.people.people import Person
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal.testing.instances import client_of
from commensal.testing.placed import a_shop

from .conftest import MakeMember


@pytest.fixture
def owner(store: Store, member: MakeMember) -> Actor:
    """The owner of the shop, beside which there is another shop."""
    with store.write() as tx:
        a_shop(tx)
        a_shop(tx, "other")
    return member("owner")


def make(store: Store, owner: Actor, *scopes: str, name: str = "Market stall") -> str:
    with store.write() as tx:
        return create_role(tx, owner, "shop", name=name, scopes=scopes).id


def scopes_of(store: Store, actor: Actor, enterprise: str = "shop") -> frozenset[str]:
    with store.read() as tx:
        return held_at(tx, actor, enterprise)


def test_a_role_gives_what_it_names_beside_what_all_members_read(
    store: Store, owner: Actor, member: MakeMember
) -> None:
    stallholder = member(make(store, owner, "orders:pack"))
    assert scopes_of(store, stallholder) == READ | {"orders:pack", "orders:read"}, "who packs reads what is packed"
    with store.read() as tx:
        demand(tx, stallholder, "orders:pack", "shop")
        for refused in ("orders:write", "customers:read", "payments:read", "members:read", "members:write"):
            with pytest.raises(Forbidden):
                demand(tx, stallholder, refused, "shop")
        assert sees_amounts(tx, stallholder, "shop") is False
        assert len(members_who_may(tx, "shop", "orders:pack")) == 2
        assert len(members_who_may(tx, "shop", "orders:write")) == 1, "the owner"


def test_a_role_that_names_nothing_gives_what_all_members_read(store: Store, owner: Actor, member: MakeMember) -> None:
    assert scopes_of(store, member(make(store, owner))) == READ


@pytest.mark.parametrize("scope", ["members:write", "grants:write", "operator", "self", "public", "", "van:drive"])
def test_what_owners_alone_hold_is_in_no_role(store: Store, owner: Actor, scope: str) -> None:
    with store.write() as tx, pytest.raises(Invalid, match="is not a scope that a role may give; there are audit:read"):
        create_role(tx, owner, "shop", name="Boss", scopes=[scope])
    role = make(store, owner)
    with store.write() as tx, pytest.raises(Invalid, match="not a scope that a role may give"):
        edit_role(tx, owner, "shop", role, 1, name="Boss", scopes=[scope])


def test_a_row_that_says_more_than_a_role_may_give_gives_no_more(
    store: Store, owner: Actor, member: MakeMember
) -> None:
    role = make(store, owner, "orders:read")
    with store.write() as tx:
        row = {"name": "Boss", "scopes": ["members:write", "operator", "orders:read"]}
        tx.execute(enterprise_role.update().values(row).where(enterprise_role.c.id == role))
    assert scopes_of(store, member(role)) == READ | {"orders:read"}


def test_nobody_gives_more_than_they_hold(store: Store, owner: Actor) -> None:
    """Owners hold all; a token of theirs holds what it was made for, and none makes itself a wider door."""
    token = Actor(person_id=owner.person_id, confirmed=True, token_scopes=frozenset({"members:write", "orders:read"}))
    with store.write() as tx:
        with pytest.raises(Forbidden, match="hold yourself: payments:read, payments:write"):
            create_role(tx, token, "shop", name="Books", scopes=["payments:write", "orders:read"])
        role = create_role(tx, token, "shop", name="Reader", scopes=["orders:read"])
        assert role.scopes == ["orders:read"]
    books = make(store, owner, "payments:write", name="Books")
    with store.write() as tx:
        renamed = edit_role(tx, token, "shop", books, 1, name="Ledger", scopes=["payments:write", "payments:read"])
        assert (renamed.name, renamed.scopes) == ("Ledger", ["payments:read", "payments:write"]), "it adds nothing"
        with pytest.raises(Forbidden):
            edit_role(tx, token, "shop", books, 2, name="Ledger", scopes=["payments:write", "audit:read"])


def test_a_role_holds_at_the_enterprise_that_made_it_alone(store: Store, owner: Actor, member: MakeMember) -> None:
    role = make(store, owner, "orders:write")
    stranger = member(role, at="other")
    assert scopes_of(store, stranger, "other") == frozenset()
    boss = member("owner", at="other")
    with store.write() as tx:
        for change in (
            lambda: change_role(tx, "other", stranger.person_id or "", role=role),
            lambda: invite(tx, "other", email="bob@example.org", role=role, language="en", person_id=None),
        ):
            with pytest.raises(Invalid, match="The roles are owner, manager, packer, accountant"):
                change()
        for attack in (
            lambda: edit_role(tx, boss, "other", role, 1, name="Mine", scopes=[]),
            lambda: remove_role(tx, "other", role, 1, instead="packer"),
        ):
            with pytest.raises(NotFound):
                attack()
        assert list_roles(tx, "other") == []
    neighbour = member(make_at(store, boss, "other", "products:write"), at="other")
    with store.write() as tx:
        grant(tx, "shop", "other", "WriteProducts")
    assert scopes_of(store, neighbour) == {"products:read", "products:write"}, "as far as the role goes, and the grant"


def make_at(store: Store, boss: Actor, enterprise: str, *scopes: str) -> str:
    with store.write() as tx:
        return create_role(tx, boss, enterprise, name="Goods", scopes=scopes).id


def test_a_change_holds_at_once_and_an_old_form_changes_nothing(store: Store, owner: Actor, member: MakeMember) -> None:
    role = make(store, owner, "orders:read", "customers:read")
    reader = member(role)
    with store.write() as tx:
        edit_role(tx, owner, "shop", role, 1, name="Lists", scopes=["orders:read"])
    assert scopes_of(store, reader) == READ | {"orders:read"}
    with store.write() as tx, pytest.raises(Stale):
        edit_role(tx, owner, "shop", role, 1, name="Old", scopes=["customers:write"])
    with store.write() as tx, pytest.raises(Stale):
        remove_role(tx, "shop", role, 1, instead="packer")
    with store.read() as tx:
        assert memberships_of(tx, reader.person_id or "")[0].role_name == "Lists"


def test_a_role_is_taken_away_when_it_is_said_what_its_members_become(
    store: Store, owner: Actor, member: MakeMember, somebody: Callable[..., Person]
) -> None:
    role, other = make(store, owner, "orders:write"), make(store, owner, "audit:read", name="Watch")
    clerk, bob = member(role), somebody("bob")
    with store.write() as tx:
        change_role(tx, "shop", clerk.person_id or "", role=role, takes_money=True)
        invite(tx, "shop", email=bob.email, role=role, language="en", person_id=None)
    with pytest.raises(Conflict, match="say which role they get instead"), store.write() as tx:
        remove_role(tx, "shop", role, 1)
    for instead in (role, "owner", "boss", "van:driver"):
        with pytest.raises(Invalid) as error, store.write() as tx:
            remove_role(tx, "shop", role, 1, instead=instead)
        assert error.value.problems[0].where == "/instead"
    assert "orders:write" in scopes_of(store, clerk), "a refusal changes nothing"
    with store.write() as tx:
        assert remove_role(tx, "shop", role, 1, instead="packer") == 1
        (invited,) = invitations_of(tx, "shop")
        assert invited.role == "packer"
        assert {each.role: each.takes_money for each in list_members(tx, "shop")} == {"owner": False, "packer": False}
        assert remove_role(tx, "shop", other, 1) == 0, "nobody has it, so nobody needs another"
        assert list_roles(tx, "shop") == []
        accept_invitation(tx, bob.id, invited.id)
    assert scopes_of(store, Actor(person_id=bob.id, confirmed=True)) == scopes_of(store, clerk)


def test_somebody_is_invited_to_a_role_and_reads_its_name(
    store: Store, owner: Actor, somebody: Callable[..., Person]
) -> None:
    role, bob = make(store, owner, "orders:pack"), somebody("bob")
    with store.write() as tx:
        invite(tx, "shop", email=bob.email, role=role, language="en", person_id=None)
        (invitation,) = invitations_to(tx, bob.id)
        assert invitation.role_name == "Market stall"
        assert accept_invitation(tx, bob.id, invitation.id).role_name == "Market stall"
    assert "orders:pack" in scopes_of(store, Actor(person_id=bob.id, confirmed=True))


def test_an_enterprise_that_leaves_and_stays_takes_roles_away_and_gives_them_back(
    store: Store, owner: Actor, member: MakeMember
) -> None:
    clerk = member(make(store, owner, "orders:write"))
    with store.write() as tx:
        before = leave_home(tx, "shop")
    assert "orders:write" not in scopes_of(store, clerk)
    with store.write() as tx:
        stay_home(tx, "shop", before)
    assert "orders:write" in scopes_of(store, clerk)


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "required"), ("x" * 61, "too_long"), ("a\u202eb", "control_character"), ("Stall", "name_taken")],
)
def test_a_name_that_cannot_be_is_refused(store: Store, owner: Actor, name: str, code: str) -> None:
    make(store, owner, name="Stall")
    with store.write() as tx, pytest.raises(Invalid) as error:
        create_role(tx, owner, "shop", name=name)
    assert [(each.code, each.where) for each in error.value.problems] == [(code, "/name")]


def test_an_enterprise_has_a_limited_number_of_roles(
    store: Store, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "MOST", 1)
    make(store, owner)
    with store.write() as tx, pytest.raises(Conflict, match="There are 1 roles already"):
        create_role(tx, owner, "shop", name="Another")


def test_what_a_role_gives_is_told_for_every_kind_of_role(store: Store, owner: Actor) -> None:
    role = make(store, owner, "audit:read")
    with store.read() as tx:
        assert scopes_given_by(tx, "shop", role) == READ | {"audit:read"}
        assert scopes_given_by(tx, "other", role) == frozenset()
        assert "members:write" in scopes_given_by(tx, "shop", "owner")


def test_roles_are_made_changed_given_and_taken_away_over_the_api(
    instance: Instance, store: Store, owner: Actor, member: MakeMember
) -> None:
    packer = member("packer")
    scopes = {"members:write", "members:read", "orders:read", "orders:pack", "audit:read"}
    with store.write() as tx:
        secret = make_token(tx, owner.person_id or "", name="test", scopes=scopes).secret
    client = client_of(make_app(instance))

    def ask(method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        headers = {"Authorization": f"Bearer {secret}"} | ({"If-Match": f'"{version}"'} if version else {})
        return client.request(method, f"/api/enterprises/shop{path}", json=body, headers=headers)

    made = ask("POST", "/roles", {"name": "Stall", "scopes": ["orders:pack"]})
    assert (made.status_code, made.json()["scopes"]) == (201, ["orders:pack", "orders:read"])
    role = made.json()["id"]
    assigned = ask("PUT", f"/members/{packer.person_id}", {"role": role})
    assert (assigned.json()["role"], assigned.json()["role_name"]) == (role, "Stall")
    wider = ask("PUT", f"/roles/{role}", {"name": "Stall", "scopes": ["payments:write"]}, 1)
    assert (wider.status_code, "payments:write" in wider.json()["detail"]) == (403, True)
    assert ask("PUT", f"/roles/{role}", {"name": "Stall", "scopes": ["members:write"]}, 1).status_code == 422
    assert ask("PUT", f"/roles/{role}", {"name": "Watch", "scopes": ["audit:read"]}).status_code == 428
    assert ask("PUT", f"/roles/{role}", {"name": "Watch", "scopes": ["audit:read"]}, 1).json()["version"] == 2
    assert [each["name"] for each in ask("GET", "/roles").json()] == ["Watch"]
    assert ask("DELETE", f"/roles/{role}", version=2).status_code == 409
    assert ask("DELETE", f"/roles/{role}?instead=accountant", version=2).status_code == 204
    with store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))]
    assert [(mail["kind"], mail["values"]["role"]) for mail in mails] == [
        ("role_changed", role),
        ("rights_changed", role),
        ("role_changed", "accountant"),
    ]
    assert ask("GET", "/members").json()[-1]["role"] == "accountant"
    trail = [each for each in ask("GET", "/audit?limit=50").json()["items"] if each["object_kind"] == "enterprise_role"]
    assert [each["action"] for each in trail] == ["removed", "changed", "made"]
