"""Settings that name a customer group, an enterprise, a sale or a shipping method are stored by id, or refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from commensal.base.errors import Invalid
from commensal.base.ids import RandomIds
from commensal.enterprises.customer_categories import create_category, delete_category
from commensal.enterprises.enterprises import archive_enterprise
from commensal.enterprises.plugins import change_plugin, enable_plugin
from commensal.enterprises.tables import enterprise, enterprise_grant
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.parts.setup.settings import settings_problems
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_shop
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot
from commensal_pickup.tables import pickup_slot

PROGRAMME: dict[str, Any] = {"id": "ccas", "payer": "CCAS", "percent": "30", "budget": 3000}
FEE: dict[str, Any] = {"calculator": "FlatRate", "name": "Frais", "amount": 100}


class Hub:
    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        settings = InstanceSettings(name="T", plugins={"enabled": ["solidarity", "fees", "pickup"]})
        self.hooks = load_plugins(settings, clock=clock)
        self.instance = Instance(Path(), settings, store, self.hooks, clock, RandomIds())
        with store.write() as tx:
            for name, columns in (
                ("shop", {}),
                ("farm", {"name": "Ferme du Pré"}),
                ("hidden", {"visibility": "hidden"}),
                ("granting", {"visibility": "hidden"}),
            ):
                a_shop(tx, name, **columns)
            tx.execute(
                enterprise_grant.insert().values(
                    grantor_id="granting", grantee_id="shop", scope="WriteOrders", granted_at=tx.now
                )
            )
            self.group = create_category(tx, "shop", name="Quotient familial").id
            create_category(tx, "farm", name="Entitled elsewhere")
            self.slot = self.add_slot(tx)

    def add_slot(self, tx: Transaction) -> str:
        """Adds a place and a slot of the shop's sale. Returns its name in an order."""
        enable_plugin(tx, self.hooks, "shop", "pickup", {})
        begins_at = tx.value(select(sale_session.c.begins_at).where(sale_session.c.id == "shop-session"))
        place = add_place(tx, "shop", name="Halle")
        ends_at = begins_at + timedelta(hours=1)
        slot = add_slot(
            tx,
            "shop",
            session_id="shop-session",
            place_id=place.id,
            begins_at=begins_at,
            ends_at=ends_at,
            capacity=None,
        )
        return f"pickup:{slot.id}"

    def set(self, plugin: str, **settings: Any) -> dict[str, Any]:
        with self.store.write() as tx:
            enabled = enable_plugin(tx, self.hooks, "shop", plugin, settings)
            return change_plugin(tx, self.hooks, "shop", plugin, enabled.version, settings).settings


@pytest.fixture
def hub(store: Store, clock: Any) -> Hub:
    return Hub(store, clock)


@pytest.mark.parametrize("spelled", ["Quotient familial", "quotient FAMILIAL "])
def test_a_group_is_named_by_its_name_and_kept_by_its_id(hub: Hub, spelled: str) -> None:
    stored = hub.set("solidarity", programmes=[{**PROGRAMME, "category": spelled}])
    assert stored["programmes"][0]["category"] == hub.group
    second_programme = {**PROGRAMME, "id": "b", "category": hub.group}
    with hub.store.write() as tx:
        assert change_plugin(tx, hub.hooks, "shop", "solidarity", 2, {"programmes": [second_programme]}).settings == {
            "programmes": [second_programme]
        }


@pytest.mark.parametrize("bad_name", ["Quotient famillial", "Entitled elsewhere", "nothing"])
def test_a_group_that_is_not_there_is_refused_with_what_would_be_right(hub: Hub, bad_name: str) -> None:
    with pytest.raises(Invalid, match="Quotient familial") as refused:
        hub.set("solidarity", programmes=[{**PROGRAMME, "category": bad_name}])
    (problem,) = refused.value.problems
    assert (problem.code, problem.where) == ("no_category", "/settings/programmes/0/category")


def test_fees_name_suppliers_and_groups(hub: Hub) -> None:
    fee_with_names = {**FEE, "supplier": "ferme du pré", "categories": ["Quotient familial"]}
    (fee,) = hub.set("fees", fees=[fee_with_names])["fees"]
    assert (fee["supplier"], fee["categories"]) == ("farm", [hub.group])


def test_every_name_that_is_not_known_is_told_and_hidden_enterprises_are_not_there(hub: Hub) -> None:
    with pytest.raises(Invalid) as refused:
        hub.set("fees", fees=[FEE, {**FEE, "supplier": "hidden", "categories": ["Quotient familial", "x"]}])
    assert sorted(problem.where for problem in refused.value.problems) == [
        "/settings/fees/1/categories/1",
        "/settings/fees/1/supplier",
    ]
    assert "hidden" not in str(refused.value.problems[0].values["right"])
    assert hub.set("fees", fees=[{**FEE, "supplier": "granting"}, {**FEE, "supplier": ""}])["fees"][0]["supplier"]


def test_fees_name_sales_and_ways_to_receive_goods(hub: Hub) -> None:
    with hub.store.write() as tx:
        tx.execute(update(coordination).where(coordination.c.coordinator_id == "shop").values(name="Vente du jeudi"))
    shipping = ["pickup", "pickup:", hub.slot]
    (fee,) = hub.set("fees", fees=[{**FEE, "sale_sessions": ["vente du JEUDI", "shop-session"], "shipping": shipping}])[
        "fees"
    ]
    assert (fee["sale_sessions"], fee["shipping"]) == (["shop-session"] * 2, shipping)


@pytest.mark.parametrize(
    ("setting", "value", "code", "suggestion"),
    [
        ("sale_sessions", "nothing", "no_sale", "(shop-session)"),
        ("sale_sessions", "farm-session", "no_sale", "(shop-session)"),  # a sale of another shop
        ("shipping", "pikup", "no_shipping", "pickup"),
        ("shipping", "pickup:nothing", "no_shipping", "pickup"),
        ("shipping", "fees", "no_shipping", "pickup"),  # a plugin that offers no shipping
    ],
)
def test_a_sale_or_a_way_that_is_not_there_is_refused_with_what_would_be_right(
    hub: Hub, setting: str, value: str, code: str, suggestion: str
) -> None:
    with pytest.raises(Invalid) as refused:
        hub.set("fees", fees=[FEE, {**FEE, setting: [value]}])
    (problem,) = refused.value.problems
    assert (problem.code, problem.where) == (code, f"/settings/fees/1/{setting}/0")
    assert suggestion in str(problem.values["right"])


def test_the_check_names_what_was_deleted_since(hub: Hub) -> None:
    fee = {"supplier": "farm", "categories": [hub.group], "sale_sessions": ["shop-session"], "shipping": [hub.slot]}
    hub.set("fees", fees=[{**FEE, **fee}])
    hub.set("solidarity", programmes=[{**PROGRAMME, "category": hub.group}])
    assert list(settings_problems(hub.instance)) == []
    with hub.store.write() as tx:
        delete_category(tx, "shop", hub.group, 1)
        archive_enterprise(tx, "farm", tx.value(select(enterprise.c.version).where(enterprise.c.id == "farm")))
        tx.execute(delete(pickup_slot))
        tx.execute(delete(sale_session).where(sale_session.c.id == "shop-session"))
    problems = {(problem.where, problem.values["name"]) for problem in settings_problems(hub.instance)}
    assert problems == {
        ("shop, fees/settings/fees/0/supplier", "Ferme du Pré"),
        ("shop, fees/settings/fees/0/categories/0", hub.group),
        ("shop, fees/settings/fees/0/sale_sessions/0", "shop-session"),
        ("shop, fees/settings/fees/0/shipping/0", hub.slot),
        ("shop, solidarity/settings/programmes/0/category", hub.group),
    }
