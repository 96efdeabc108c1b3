"""Scopes of plugins: deny by default, held by the roles that they name and by members whom an owner gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from commensal import Endpoint, Instance, OfficePage, OwnRole, OwnScope, Routes, hookimpl
from commensal.base.errors import Forbidden, Invalid, NotFound, PluginError
from commensal.enterprises.access import demand, held_at, sees_amounts
from commensal.enterprises.grants import grant
from commensal.enterprises.members import change_role, list_members
from commensal.enterprises.plugins import enable_plugin
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.parts.copies.homes import leave_home, stay_home
from commensal.parts.mail.to_people import members_who_may
from commensal.parts.membership.invitations import accept_invitation, invitations_to, invite
from commensal.parts.pages.added import added_pages
from commensal.parts.serving.app import make_app
from commensal.people.actor import READ, Actor
from commensal.people.people import Person
from commensal.storage.database import Store
from commensal.testing.instances import client_of
from commensal.testing.placed import a_shop

DRIVE = OwnScope(name="van:drive", label="may drive", roles=("packer",))
PAINT = OwnScope(name="van:paint", label="may paint the van")
DRIVER = OwnRole(name="van:driver", label="Driver", about="Trips.", scopes=("van:drive", "orders:read"))
routes = Routes("van")


@dataclass(frozen=True)
class Trip:
    to: str


@routes.get("/enterprises/{enterprise}/trip", scope="van:drive")
def next_trip(call: Any, enterprise: str) -> Trip:
    """Where the van goes."""
    return Trip(to="the market")


def van(
    *,
    scopes: Sequence[OwnScope] = (DRIVE, PAINT),
    roles: Sequence[OwnRole] = (),
    endpoints: Sequence[Endpoint] = (),
    pages: Sequence[OfficePage] = (),
) -> ModuleType:
    module = ModuleType("van")
    hooks: dict[str, Callable[[], Any]] = {
        "scopes": lambda: list(scopes),
        "roles": lambda: list(roles),
        "endpoints": lambda: list(endpoints),
        "office_pages": lambda: list(pages),
    }
    for name, function in hooks.items():
        function.__name__ = name
        setattr(module, name, hookimpl(function))
    return module


Make = Callable[..., Instance]


@pytest.fixture
def with_van(instance: Instance, store: Store) -> Make:
    """Opens the instance with the plugin."""

    def make(**parts: Any) -> Instance:
        settings = InstanceSettings(name="Test", base_url="http://testserver", plugins={"enabled": ["van"]})
        hooks = load_plugins(settings, clock=instance.clock, modules={"van": van(**parts)})
        return Instance(instance.folder, settings, store, hooks, instance.clock, instance.ids)

    return make


@pytest.fixture
def shop(store: Store) -> str:
    with store.write() as tx:
        a_shop(tx)
        a_shop(tx, "other")
    return "shop"


def own_scopes_of(store: Store, actor: Actor) -> set[str]:
    with store.read() as tx:
        return {scope for scope in held_at(tx, actor, "shop") if scope.startswith("van:")}


@pytest.mark.parametrize(
    ("role", "scopes"),
    [("owner", {"van:drive", "van:paint"}), ("packer", {"van:drive"}), ("manager", set()), ("accountant", set())],
)
def test_a_scope_is_held_by_owners_by_the_roles_it_names_and_by_whom_it_is_given(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor], role: str, scopes: set[str]
) -> None:
    with_van()
    actor = member(role)
    assert own_scopes_of(store, actor) == scopes
    if role == "owner":
        return
    with store.write() as tx:
        change_role(tx, shop, actor.person_id or "", role=role, scopes=["van:paint"])
    assert own_scopes_of(store, actor) == scopes | {"van:paint"}
    with store.write() as tx:
        change_role(tx, shop, actor.person_id or "", role=role)
    assert own_scopes_of(store, actor) == scopes, "a role is given without what was added to the one before"


def test_without_the_plugin_nobody_holds_its_scope_and_nobody_gives_it(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor]
) -> None:
    with_van()
    manager = member("manager")
    with store.write() as tx:
        change_role(tx, shop, manager.person_id or "", role="manager", scopes=["van:drive"])
    with_van(scopes=())
    assert own_scopes_of(store, manager) == set()
    with store.read() as tx, pytest.raises(AssertionError):
        demand(tx, manager, "van:drive", shop)
    with store.write() as tx, pytest.raises(Invalid, match="not a scope of a plugin"):
        change_role(tx, shop, manager.person_id or "", role="manager", scopes=["van:drive"])


def test_grants_and_an_enterprise_that_has_left_give_none(
    with_van: Make, store: Store, shop: str, member: Callable[..., Actor]
) -> None:
    with_van()
    neighbour, manager = member("owner", at="other"), member("manager")
    with store.write() as tx:
        grant(tx, shop, "other", "WriteEnterprise")
        change_role(tx, shop, manager.person_id or "", role="manager", takes_money=True, scopes=["van:drive"])
    assert own_scopes_of(store, neighbour) == set()
    with store.write() as tx:
        before = leave_home(tx, shop)
    assert own_scopes_of(store, manager) == set()
    with store.write() as tx:
        stay_home(tx, shop, before)
        (stays,) = list_members(tx, shop)
    assert (stays.role, stays.takes_money, stays.scopes) == ("manager", True, ["van:drive"])


def test_an_endpoint_demands_it_of_people_and_of_their_tokens(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor]
) -> None:
    instance = with_van(endpoints=routes.endpoints)
    owner, packer, accountant = member("owner"), member("packer"), member("accountant")
    with store.write() as tx:
        enable_plugin(tx, instance.hooks, shop, "van", {})
        secrets = {
            actor: make_token(tx, actor.person_id or "", name="test", scopes=scopes).secret
            for actor, scopes in (
                (owner, {"van:drive", "members:write"}),
                (packer, {"van:paint"}),
                (accountant, {"van:drive"}),
            )
        }
    client = client_of(make_app(instance))

    def ask(actor: Actor, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {secrets[actor]}"}
        return client.request(method, f"/api{path}", json=body, headers=headers)

    trip = "/-/van/enterprises/shop/trip"
    assert [ask(actor, "GET", trip).status_code for actor in (owner, packer, accountant)] == [200, 403, 403]
    role = {"role": "accountant", "scopes": ["van:drive"]}
    changed = ask(owner, "PUT", f"/enterprises/shop/members/{accountant.person_id}", role)
    assert changed.json()["scopes"] == ["van:drive"]
    assert ask(accountant, "GET", trip).json() == {"to": "the market"}
    with store.read() as tx:
        emails = {recipient.email for recipient in members_who_may(tx, shop, "van:drive")}
    assert len(emails) == 3


def _page(**values: Any) -> OfficePage:
    return OfficePage(**{"path": "van", "place": "van", "scope": "van:drive", "show": print, **values})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"scopes": [OwnScope(name="cart:drive", label="")]},
            "'cart:drive' is not a name of a scope; write it like 'van:",
        ),
        ({"scopes": [OwnScope(name="van:", label="")]}, "'van:' is not a name of a scope"),
        (
            {"scopes": [OwnScope(name="van:drive", label="", roles=("boss",))]},
            "van:drive: boss are not roles; there are",
        ),
        ({"scopes": (), "endpoints": routes.endpoints}, "trip: 'van:drive' is not a scope of the core, and the hook"),
        ({"pages": [_page(scope="van:fly")]}, "van: 'van:fly' is not a scope of the core"),
        ({"pages": [_page(sends="sales:sell")]}, "van: 'sales:sell' is not a scope of the core"),
        ({"pages": [_page(path="van/{trip}", menu="Van")]}, "leads to a page of an enterprise without parameters"),
    ],
)
def test_a_scope_that_nobody_declares_stops_the_start_and_names_the_plugin(
    with_van: Make, parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(PluginError, match=message) as error:
        instance = with_van(**parts)
        make_app(instance)
        added_pages(instance)
    assert error.value.plugin == "van"


# ------------------------------------------------------------------------------------------------ roles of plugins


def scopes_of(store: Store, actor: Actor, enterprise: str = "shop") -> frozenset[str]:
    with store.read() as tx:
        return held_at(tx, actor, enterprise)


def test_a_role_of_a_plugin_gives_what_it_names_and_nothing_else(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor]
) -> None:
    with_van(roles=[DRIVER])
    driver = member("van:driver")
    assert scopes_of(store, driver) == READ | {"van:drive", "orders:read"}
    with store.read() as tx:
        demand(tx, driver, "orders:read", shop)
        for refused in ("orders:write", "customers:read", "members:write", "van:paint"):
            with pytest.raises(Forbidden):
                demand(tx, driver, refused, shop)
        assert sees_amounts(tx, driver, shop) is False


def test_without_the_plugin_its_role_gives_nothing_and_nobody_gets_it(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor]
) -> None:
    """Not even what the least of the core's roles would: nobody has chosen that for them."""
    with_van(roles=[DRIVER])
    driver = member("van:driver")
    with_van()
    assert scopes_of(store, driver) == frozenset()
    with store.read() as tx, pytest.raises(NotFound):
        demand(tx, driver, "enterprise:read", shop)
    with store.write() as tx:
        (still_there,) = list_members(tx, shop)
        assert still_there.role == "van:driver", "an owner sees them, and gives them another role"
        with pytest.raises(Invalid, match="The roles are owner, manager, packer, accountant"):
            change_role(tx, shop, driver.person_id or "", role="van:driver")
        with pytest.raises(Invalid, match="The roles are"):
            invite(tx, shop, email="bob@example.org", role="van:driver", language="en", person_id=None)
        change_role(tx, shop, driver.person_id or "", role="packer")


def test_owners_give_it_by_invitation_and_over_the_api(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor], somebody: Callable[..., Person]
) -> None:
    instance = with_van(roles=[DRIVER])
    owner, packer, bob = member("owner"), member("packer"), somebody("bob")
    with store.write() as tx:
        invite(tx, shop, email=bob.email, role="van:driver", language="en", person_id=None)
        (invitation,) = invitations_to(tx, bob.id)
        accept_invitation(tx, bob.id, invitation.id)
        secrets = {
            actor: make_token(tx, actor.person_id or "", name="test", scopes={"members:write"}).secret
            for actor in (owner,)
        }
    assert "van:drive" in scopes_of(store, Actor(person_id=bob.id, session_hash="hash", confirmed=True))
    client = client_of(make_app(instance))
    headers = {"Authorization": f"Bearer {secrets[owner]}"}
    path = f"/api/enterprises/shop/members/{packer.person_id}"
    assert client.put(path, json={"role": "van:driver"}, headers=headers).json()["role"] == "van:driver"
    refused = client.put(path, json={"role": "van:boss"}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/role")
    assert "van:driver" in refused.json()["errors"][0]["detail"]


def test_who_has_a_role_of_a_plugin_reaches_no_more_by_a_grant_than_it_gives(
    with_van: Make, store: Store, shop: str, member: Callable[..., Actor]
) -> None:
    with_van(roles=[DRIVER])
    driver = member("van:driver", at="other")
    with store.write() as tx:
        grant(tx, shop, "other", "WriteProducts")
    assert scopes_of(store, driver) == {"products:read"}


def test_an_enterprise_that_comes_back_gives_it_back(
    with_van: Make, store: Store, shop: str, member: Callable[..., Actor]
) -> None:
    with_van(roles=[DRIVER])
    member("van:driver")
    with store.write() as tx:
        before = leave_home(tx, shop)
        stay_home(tx, shop, before)
        assert [each.role for each in list_members(tx, shop)] == ["van:driver"]


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ({"name": "packer"}, "'packer' is not a name of a role; write it like 'van:driver'"),
        ({"name": "cart:driver"}, "'cart:driver' is not a name of a role"),
        (
            {"scopes": ("members:write",)},
            "van:driver: members:write is not a scope of this plugin, or none that a role",
        ),
        ({"scopes": ("grants:write", "orders:read")}, "van:driver: grants:write is"),
        ({"scopes": ("van:fly",)}, "van:driver: van:fly is not a scope of this plugin"),
        ({"scopes": ("self",)}, "van:driver: self is not a scope of this plugin"),
        ({"scopes": ("operator",)}, "van:driver: operator is not a scope of this plugin"),
    ],
)
def test_a_role_that_would_give_too_much_stops_the_start(with_van: Make, role: dict[str, Any], message: str) -> None:
    with pytest.raises(PluginError, match=message) as error:
        make_app(with_van(roles=[replace(DRIVER, **role)]))
    assert error.value.plugin == "van"


def test_a_role_that_was_let_through_would_give_no_more(
    with_van: Make, store: Store, shop: str, member: Callable[[str], Actor]
) -> None:
    """The start refuses it; whoever is asked before it serves gives what a role may have all the same."""
    with_van(roles=[replace(DRIVER, scopes=("members:write", "operator", "orders:read"))])
    assert scopes_of(store, member("van:driver")) == READ | {"orders:read"}
