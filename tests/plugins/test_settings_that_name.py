"""Settings that name a customer group or an enterprise: by name or id, kept by id, refused where there is no such."""

from __future__ import annotations

from typing import Any

import pytest

from commensal.base.errors import Invalid
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.storage.database import Store
from commensal.testing.placed import a_shop
from commensal.trade.enterprises.customer_categories import create_category
from commensal.trade.enterprises.plugins import change_plugin, enable_plugin
from commensal.trade.enterprises.tables import enterprise_grant

PROGRAMME: dict[str, Any] = {"id": "ccas", "payer": "CCAS", "percent": "30", "budget": 3000}
FEE: dict[str, Any] = {"calculator": "FlatRate", "name": "Frais", "amount": 100}


class Hub:
    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        self.hooks = load_plugins(InstanceSettings(name="T", plugins={"enabled": ["solidarity", "fees"]}), clock=clock)
        with store.write() as tx:
            for name, more in (
                ("shop", {}), ("farm", {"name": "Ferme du Pré"}), ("hidden", {"visibility": "hidden"}),
                ("granting", {"visibility": "hidden"}),
            ):  # fmt: skip
                a_shop(tx, name, **more)
            tx.execute(
                enterprise_grant.insert().values(
                    grantor_id="granting", grantee_id="shop", scope="WriteOrders", granted_at=tx.now
                )
            )
            self.group = create_category(tx, "shop", name="Quotient familial").id
            create_category(tx, "farm", name="Entitled elsewhere")

    def set(self, plugin: str, **settings: Any) -> dict[str, Any]:
        with self.store.write() as tx:
            made = enable_plugin(tx, self.hooks, "shop", plugin, settings)
            return change_plugin(tx, self.hooks, "shop", plugin, made.version, settings).settings


@pytest.fixture
def hub(store: Store, clock: Any) -> Hub:
    return Hub(store, clock)


@pytest.mark.parametrize("spelled", ["Quotient familial", "quotient FAMILIAL "])
def test_a_group_is_named_by_its_name_and_kept_by_its_id(hub: Hub, spelled: str) -> None:
    kept = hub.set("solidarity", programmes=[{**PROGRAMME, "category": spelled}])
    assert kept["programmes"][0]["category"] == hub.group
    again = {**PROGRAMME, "id": "b", "category": hub.group}
    with hub.store.write() as tx:
        assert change_plugin(tx, hub.hooks, "shop", "solidarity", 2, {"programmes": [again]}).settings == {
            "programmes": [again]
        }


@pytest.mark.parametrize("wrong", ["Quotient famillial", "Entitled elsewhere", "nothing"])
def test_a_group_that_is_not_there_is_refused_with_what_would_be_right(hub: Hub, wrong: str) -> None:
    with pytest.raises(Invalid, match="Quotient familial") as refused:
        hub.set("solidarity", programmes=[{**PROGRAMME, "category": wrong}])
    (problem,) = refused.value.problems
    assert (problem.code, problem.where) == ("no_category", "/settings/programmes/0/category")


def test_fees_name_suppliers_and_groups(hub: Hub) -> None:
    named = {**FEE, "supplier": "ferme du pré", "categories": ["Quotient familial"]}
    (kept,) = hub.set("fees", fees=[named])["fees"]
    assert (kept["supplier"], kept["categories"]) == ("farm", [hub.group])


def test_every_name_that_is_not_known_is_told_and_hidden_enterprises_are_not_there(hub: Hub) -> None:
    with pytest.raises(Invalid) as refused:
        hub.set("fees", fees=[FEE, {**FEE, "supplier": "hidden", "categories": ["Quotient familial", "x"]}])
    assert sorted(one.where for one in refused.value.problems) == [
        "/settings/fees/1/categories/1", "/settings/fees/1/supplier",
    ]  # fmt: skip
    assert "hidden" not in str(refused.value.problems[0].values["right"])
    assert hub.set("fees", fees=[{**FEE, "supplier": "granting"}, {**FEE, "supplier": ""}])["fees"][0]["supplier"]
