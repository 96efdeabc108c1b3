"""Scopes of plugins: deny by default, held by the roles that they name and by members whom an owner gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert

from commensal import Endpoint, Instance, OfficePage, OwnScope, Routes, hookimpl
from commensal.base.errors import Invalid, PluginError
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.interfaces.app import make_app
from commensal.interfaces.mail.to_people import members_who_may
from commensal.interfaces.pages.office import added_pages
from commensal.storage.database import Store
from commensal.testing.client import client_of
from commensal.testing.placed import a_shop
from commensal.trade.enterprises.access import demand, held_at
from commensal.trade.enterprises.grants import grant
from commensal.trade.enterprises.homes import leave_home, stay_home
from commensal.trade.enterprises.members import change_role, list_members
from commensal.trade.enterprises.plugins import enable_plugin
from commensal.trade.enterprises.tables import enterprise_member
from commensal.trade.enterprises.tokens import make_token
from commensal.trade.people.actor import Actor
from commensal.trade.people.people import Person

DRIVE = OwnScope(name="van:drive", label="may drive", roles=("packer",))
PAINT = OwnScope(name="van:paint", label="may paint the van")
routes = Routes("van")


@dataclass(frozen=True)
class Trip:
    to: str


@routes.get("/enterprises/{enterprise}/trip", scope="van:drive")
def next_trip(call: Any, enterprise: str) -> Trip:
    """Where the van goes."""
    return Trip(to="the market")


def van(
    *, scopes: Sequence[OwnScope] = (DRIVE, PAINT), endpoints: Sequence[Endpoint] = (), pages: Sequence[OfficePage] = ()
) -> ModuleType:
    module = ModuleType("van")
    hooks: dict[str, Callable[[], Any]] = {
        "scopes": lambda: list(scopes), "endpoints": lambda: list(endpoints), "office_pages": lambda: list(pages),
    }  # fmt: skip
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
def member(store: Store, somebody: Callable[..., Person]) -> Callable[[str], Actor]:
    """Makes somebody with a role at the shop, and returns them."""

    def make(role: str, at: str = "shop") -> Actor:
        person = somebody(f"{role}-{at}")
        with store.write() as tx:
            row = {"enterprise_id": at, "person_id": person.id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member).values(row))
        return Actor(person_id=person.id, session_hash="hash", confirmed=True)

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
    with store.write() as tx, pytest.raises(Invalid, match="no scope of a plugin"):
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
                (owner, {"van:drive", "members:write"}), (packer, {"van:paint"}), (accountant, {"van:drive"}),
            )
        }  # fmt: skip
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
        ({"scopes": [OwnScope(name="cart:drive", label="")]}, "'cart:drive' is no name of a scope; one is like 'van:"),
        ({"scopes": [OwnScope(name="van:", label="")]}, "'van:' is no name of a scope"),
        (
            {"scopes": [OwnScope(name="van:drive", label="", roles=("boss",))]},
            "van:drive: boss are no roles; there are",
        ),
        ({"scopes": (), "endpoints": routes.endpoints}, "trip: 'van:drive' is no scope of the core, and the hook"),
        ({"pages": [_page(scope="van:fly")]}, "van: 'van:fly' is no scope of the core"),
        ({"pages": [_page(sends="sales:sell")]}, "van: 'sales:sell' is no scope of the core"),
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
