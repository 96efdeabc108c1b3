"""An owner lets one account of a platform in, and no account gets or loses what another enterprise gave."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.errors import Conflict, Invalid, NotFound
from commensal.enterprises.customers import create_customer
from commensal.instance.settings import InstanceSettings
from commensal.orders.questions import orders_by_id
from commensal.orders.tables import customer_order
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcLine, DfcOrder
from commensal_federation.platforms.accounts import account_id, forget_account, name_account, named_accounts
from commensal_federation.platforms.scopes import grant_scopes
from commensal_federation.runtime import federation_of

from .oidc import Oidc
from .platforms import an_order, request, settings_with

HUB = {"sub": "hub-9", "email": "nine@hub.example", "email_verified": True}


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


def let(shop: Shop, caller: str, *scopes: str, at: str = "", customer_id: str | None = None) -> None:
    """An enterprise, the shop if `at` is empty, grants these scopes to a platform or a named account."""
    with shop.instance.store.write() as tx:
        federation = federation_of(shop.instance)
        grant_scopes(federation, tx, at or shop.id, caller, scopes, customer_id=customer_id)


def name(shop: Shop, oidc: Oidc, account: str, *, client: str = "ofn-client", at: str = "") -> str:
    with shop.instance.store.write() as tx:
        settings = federation_of(shop.instance).settings
        return name_account(settings, tx, at or shop.id, issuer=oidc.issuer, client=client, account=account)


def readable(shop: Shop, token: str) -> list[str]:
    """Ids of the enterprises that a caller may read; "401" for a caller that nobody knows."""
    answer = request(shop, token, "/api/dfc/enterprises")
    if answer.status_code != 200:
        return [str(answer.status_code)]
    nodes = answer.json()["@graph"]
    return sorted(node["@id"].rpartition("/")[2] for node in nodes if node["@type"] == "dfc-b:Enterprise")


@pytest.mark.parametrize(
    ("account", "claims"),
    [
        ("hub-9", HUB),
        ("nine@hub.example", HUB),
        ("Nine@Hub.example", HUB),
        ("https://hub.example/card#me", {"sub": "x", "webid": "https://hub.example/card#me"}),
        ("", HUB),
    ],
)
def test_an_account_that_an_owner_names_reads_there(
    shop: Shop, oidc: Oidc, account: str, claims: dict[str, Any]
) -> None:
    """The platform itself is in nobody's settings."""
    token = oidc.token("coop-app", **claims)
    assert readable(shop, token) == ["401"]
    named = name(shop, oidc, account, client="coop-app")
    assert readable(shop, token) == []
    let(shop, named, "ReadEnterprise")
    assert readable(shop, token) == [shop.id]
    let(shop, named)
    assert readable(shop, token) == []


@pytest.mark.parametrize(
    ("app", "claims"),
    [
        ("coop-app", {"sub": "hub-8", "email": "nine@hub.example"}),  # not verified
        ("coop-app", {"sub": "nine@hub.example"}),  # a subject that looks like it
        ("coop-app", {"sub": "x", "webid": "nine@hub.example"}),
        ("other-app", HUB),
        ("coop-app", {**HUB, "azp": "other-app"}),  # two clients: whose is it?
    ],
)
def test_no_other_account_is_taken_for_it(shop: Shop, oidc: Oidc, app: str, claims: dict[str, Any]) -> None:
    for account in ("nine@hub.example", "hub-9"):
        let(shop, name(shop, oidc, account, client="coop-app"), "ReadEnterprise")
    assert readable(shop, oidc.token(app, **claims)) == ["401"]


def test_naming_an_account_takes_nothing_from_it_and_gives_nothing_of_others(shop: Shop, oidc: Oidc) -> None:
    """The neighbour grants the platform; the shop names an account that the platform, or the operator, has already."""
    neighbour, hub_x = shop.neighbour(), {"sub": "x-1", "email": "x@hub.example", "email_verified": True}
    let(shop, "ofn", "ReadEnterprise", at=neighbour.id)
    let(shop, "ofn-hub-x", "ReadEnterprise", at=neighbour.id)
    nine, x, stranger = oidc.token("ofn-client", **HUB), oidc.token("ofn-client", **hub_x), oidc.token("ofn-client")
    assert [readable(shop, token) for token in (nine, x, stranger)] == [[neighbour.id]] * 3
    named = [name(shop, oidc, account) for account in ("hub-9", "x-1")]
    assert [readable(shop, token) for token in (nine, x, stranger)] == [[neighbour.id]] * 3
    for account in named:
        let(shop, account, "ReadEnterprise")
    assert readable(shop, nine) == readable(shop, x) == sorted([neighbour.id, shop.id])
    assert readable(shop, stranger) == [neighbour.id], "it is another account of the platform"
    let(shop, "ofn-hub-x", at=neighbour.id)
    assert readable(shop, x) == [shop.id], "what the platform may is not for an account with grants of its own"


def test_two_enterprises_name_one_account_and_each_decides_for_itself(shop: Shop, oidc: Oidc) -> None:
    neighbour, token = shop.neighbour(), oidc.token("coop-app", **HUB)
    mine, theirs = (name(shop, oidc, "hub-9", client="coop-app", at=id) for id in (shop.id, neighbour.id))
    assert mine == theirs == account_id(oidc.issuer, "coop-app", "hub-9")
    let(shop, mine, "ReadEnterprise")
    assert readable(shop, token) == [shop.id]
    let(shop, theirs, "ReadEnterprise", at=neighbour.id)
    with shop.instance.store.write() as tx:
        forget_account(tx, shop.id, mine)
    assert readable(shop, token) == [neighbour.id]
    with pytest.raises(NotFound):
        let(shop, mine, "ReadEnterprise")
    with shop.instance.store.write() as tx, pytest.raises(NotFound):
        forget_account(tx, shop.id, mine)


def test_an_account_orders_for_its_customer_and_sees_no_orders_of_others(shop: Shop, oidc: Oidc) -> None:
    with shop.instance.store.write() as tx:
        customer = create_customer(tx, shop.id, name="Hub Nine", email="nine@hub.example")
    let(shop, "ofn", "ReadProducts", "WriteOrders")
    let(shop, name(shop, oidc, "hub-9"), "ReadProducts", "WriteOrders", customer_id=customer.id)
    nine, other = oidc.token("ofn-client", **HUB), oidc.token("ofn-client")
    orders = "/api/dfc/enterprises/shop/orders"
    placed = request(shop, nine, orders, method="POST", json=an_order(shop, {"carrots": 2}))
    theirs = request(shop, other, orders, method="POST", json=an_order(shop, {"carrots": 1}))
    assert (placed.status_code, theirs.status_code) == (201, 201), "the same name of another caller is another order"
    assert request(shop, other, placed.headers["Location"]).status_code == 404
    whole = request(shop, nine, placed.headers["Location"])
    assert [line.quantity.value for line in read(whole.content).all(DfcLine) if line.quantity] == [2]
    assert len(read(request(shop, other, orders).content).all(DfcOrder)) == 1
    with shop.instance.store.read() as tx:
        placed_here = orders_by_id(tx, select(customer_order.c.id)).values()
    assert [order.name for order in placed_here if order.customer_id == customer.id] == ["Hub Nine"]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"issuer": "https://evil.example"}, Invalid),
        ({"client": ""}, Invalid),
        ({"account": "a\nb"}, Invalid),
        ({"name": "x" * 400}, Invalid),
        ({"client": "ofn-client", "account": "x@hub.example"}, Conflict),
        ({"client": "ofn-client", "account": ""}, Conflict),
    ],
)
def test_what_names_no_account_is_refused(
    shop: Shop, oidc: Oidc, values: dict[str, str], error: type[Exception]
) -> None:
    wanted = {"issuer": oidc.issuer, "client": "coop-app", "account": "a", **values}
    with shop.instance.store.write() as tx, pytest.raises(error):
        name_account(federation_of(shop.instance).settings, tx, shop.id, **wanted)
    with shop.instance.store.read() as tx:
        assert named_accounts(tx, shop.id) == []
