"""Members who deal with the money see what orders cost; others see the same answers without amounts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from commensal.enterprises.members import add_member
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import InstanceSettings
from commensal.people.people import person_by_email
from commensal.testing.shop import Shop

OWNER = "owner-shop@example.org"
PACKING = ("orders:read", "orders:pack")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(name="T", language="en", plugins={"enabled": ["distribution_lists", "bank"]})


@pytest.fixture
def packer(shop: Shop) -> str:
    """The address of a packer of the shop."""
    person = shop.somebody("paula@example.org", "Paula")
    with shop.instance.store.write() as tx:
        add_member(tx, shop.id, email=person.email, role="packer")
    return person.email


def ask(shop: Shop, email: str, path: str, method: str = "GET", version: int = 1, **request: Any) -> Any:
    """The response to a token for packing that belongs to the member with this address."""
    with shop.instance.store.write() as tx:
        person = person_by_email(tx, email)
        secret = make_token(tx, person.id, name="Scales", scopes=PACKING, enterprise_id=shop.id).secret
    headers = {"Authorization": f"Bearer {secret}", "If-Match": f'"{version}"'}
    return shop.client.request(method, f"/api/enterprises/{shop.id}{path}", headers=headers, **request)


def test_a_packer_sees_goods_and_no_amounts_until_they_take_money(shop: Shop, packer: str) -> None:
    order = shop.order({"carrots": 2})
    seen = ask(shop, packer, f"/orders/{order.id}").json()
    assert (seen["name"], seen["lines"][0]["quantity"]) == (order.name, 2)
    assert (seen["total"], seen["codes"], seen["lines"][0]["price"], seen["lines"][0]["amount"]) == (None,) * 4
    assert seen["adjustments"] is None, "who pays for a customer tells that they are in need"
    packed = ask(shop, packer, f"/orders/{order.id}/crates", "PUT", json={"crates": 1}).json()
    assert (packed["crates"], packed["total"]) == (1, None)
    with shop.instance.store.write() as tx:
        tx.execute(update(enterprise_member).where(enterprise_member.c.role == "packer").values(takes_money=True))
    assert ask(shop, packer, f"/orders/{order.id}").json()["total"] == order.total


def test_the_description_of_the_api_says_that_amounts_may_be_null(shop: Shop) -> None:
    schemas = shop.client.get("/api/openapi.json").json()["components"]["schemas"]
    types = {name: shape.get("type") for name, shape in schemas["Order"]["properties"].items()}
    assert (types["total"], types["codes"], types["name"]) == (["integer", "null"], ["array", "null"], "string")
    assert "x-nullable" not in str(schemas)


def test_reports_leave_their_columns_of_money_out(shop: Shop, packer: str) -> None:
    shop.order({"carrots": 2})
    names = {
        who: {column["kind"] for report in ask(shop, who, "/reports").json() for column in report["columns"]}
        for who in (packer, OWNER)
    }
    assert "money" in names[OWNER]
    assert "money" not in names[packer]
    columns = [len(ask(shop, who, "/reports/distribution_lists/driver").text.split(",")) for who in (packer, OWNER)]
    assert columns[0] < columns[1]


def test_a_token_for_orders_alone_reads_them_whole_where_its_person_may(shop: Shop) -> None:
    """The role decides: programs that have read orders since release 0.1.0 go on."""
    order = shop.order({"carrots": 2})
    assert ask(shop, OWNER, f"/orders/{order.id}").json()["total"] == order.total
