"""Plugins declare fields of orders and customers: asked, validated, in the API and in reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert

from commensal import Address, Concept, CustomerField, OrderField, hookimpl
from commensal.base.errors import Invalid, NotFound
from commensal.base.plugin_fields import DeclaredFields, PluginFields
from commensal.enterprises.customers import change_customer, create_customer, customer_by_id
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.change import change_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order, Wish
from commensal.parts.reports.look import look
from commensal.parts.reports.values import Query
from commensal.parts.serving.app import make_app
from commensal.storage.database import Store
from commensal.testing.instances import Instances, Plan, client_of
from commensal.testing.placed import a_lot, a_shop, an_item

from .test_api import a_person

FLOORS = {term: Concept(term=term, en=term.title(), fr=term.title()) for term in ("ground", "first")}
ORDER_FIELDS = [
    OrderField(name="gate", kind="text", english="gate", french="portail", most=10, asked="delivery", required=True),
    OrderField(name="floor", kind="term", english="floor", french="étage", vocabulary=FLOORS, asked="always"),
    OrderField(name="crates", kind="number", english="crates", french="caisses", most=9),
]
CUSTOMER_FIELDS = [CustomerField(name="route", kind="text", english="route", french="tournée", most=20)]
DECLARED = DeclaredFields(
    orders=PluginFields({"tour": {field.name: field for field in ORDER_FIELDS}}),
    customers=PluginFields({"tour": {field.name: field for field in CUSTOMER_FIELDS}}),
)
HOME = Address(street="2 rue Colbert", postcode="37000", city="Tours")


@dataclass(frozen=True)
class Depot:
    """A shop that uses the plugin that declares the fields."""

    store: Store
    hooks: Hooks
    item: str

    def place(self, fields: Any, *, by_hub: bool = False, **wish: Any) -> Order:
        with self.store.write() as tx:
            full_wish = Wish(
                items={self.item: 1}, name="Ada", email="ada@example.org", plugin_fields={"tour": fields}, **wish
            )
            return place_order(tx, self.hooks, "shop-session", full_wish, by_hub=by_hub)

    def mistakes(self, fields: Any, **wish: Any) -> list[tuple[str, str]]:
        with pytest.raises(Invalid) as raised:
            self.place(fields, **wish)
        return [(problem.where, problem.code) for problem in raised.value.problems]


@pytest.fixture
def depot(store: Store, settings: InstanceSettings, clock: Any) -> Depot:
    with store.write() as tx:
        a_shop(tx)
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="tour", settings={}, version=1))
        item = an_item(tx, a_lot(tx, on_hand="90"))
    store.plugin_fields = DECLARED
    return Depot(store, load_plugins(settings, clock=clock), item)


def test_values_stand_with_the_order(depot: Depot) -> None:
    fields = {"gate": "12B", "floor": "first", "crates": "2.5"}
    placed = depot.place(fields, address=HOME)
    with depot.store.read() as tx:
        assert order_by_id(tx, placed.id, enterprise_id="shop").plugin_fields == {"tour": fields}
    assert placed.plugin_fields == {"tour": fields}


@pytest.mark.parametrize(
    ("fields", "name", "code"),
    [
        ({"gate": "x" * 11}, "gate", "too_long"),
        ({"floor": "attic"}, "floor", "unknown_term"),
        ({"crates": "10"}, "crates", "range"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(depot: Depot, fields: Any, name: str, code: str) -> None:
    assert depot.mistakes(fields) == [(f"/plugin_fields/tour/{name}", code)]


def test_a_customer_must_say_what_a_delivery_needs_and_the_shop_need_not(depot: Depot) -> None:
    assert depot.mistakes({}, address=HOME) == [("/plugin_fields/tour/gate", "field_missing")]
    assert depot.place({}).plugin_fields == {}, "it is collected"
    assert depot.place({}, address=HOME, by_hub=True).plugin_fields == {}


def test_fields_of_a_plugin_that_the_shop_does_not_use_are_refused(depot: Depot) -> None:
    depot.store.plugin_fields = DeclaredFields(orders=PluginFields({"other": DECLARED.orders.by_plugin["tour"]}))
    with pytest.raises(Invalid) as raised, depot.store.write() as tx:
        wish = Wish(items={depot.item: 1}, name="Ada", email="a@example.org", plugin_fields={"other": {"gate": "1"}})
        place_order(tx, depot.hooks, "shop-session", wish)
    assert [problem.code for problem in raised.value.problems] == ["unknown_field"]


def test_a_change_sets_what_it_names_and_leaves_the_rest(depot: Depot) -> None:
    placed = depot.place({"gate": "12B", "floor": "first"}, address=HOME)
    with depot.store.write() as tx:
        locked = locked_order(tx, placed.id, enterprise_id="shop")
        changes = {"tour": {"gate": "13", "floor": None}}
        changed = change_order(tx, depot.hooks, locked, plugin_fields=changes, by_hub=True)
    assert changed.plugin_fields == {"tour": {"gate": "13"}}


def test_an_enterprise_writes_fields_of_its_customers(depot: Depot) -> None:
    with depot.store.write() as tx:
        made = create_customer(tx, "shop", email="zoe@example.org", plugin_fields={"tour": {"route": "north"}})
        assert made.plugin_fields == {"tour": {"route": "north"}}
        changed = change_customer(tx, "shop", made.id, made.version, name="Zoé")
        assert changed.plugin_fields == {"tour": {"route": "north"}}
        wrong: Any = {"tour": {"route": "x" * 21, "colour": "red"}}
        with pytest.raises(Invalid) as raised:
            change_customer(tx, "shop", made.id, changed.version, plugin_fields=wrong)
        assert {problem.code for problem in raised.value.problems} == {"too_long", "unknown_field"}
        with pytest.raises(NotFound):
            change_customer(tx, "shop", "nobody", 1, plugin_fields={"tour": {"route": "south"}})
        assert customer_by_id(tx, "shop", made.id).plugin_fields == {"tour": {"route": "north"}}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Gate: 12B · Floor: First · Crates: 2.5", "Route: north"]),
        ("fr", ["Portail\u00a0: 12B · Étage\u00a0: First · Caisses\u00a0: 2,5", "Tournée\u00a0: north"]),
    ],
)
def test_reports_show_the_values_in_words(depot: Depot, language: str, expected: list[str]) -> None:
    with depot.store.write() as tx:
        create_customer(tx, "shop", email="ada@example.org", plugin_fields={"tour": {"route": "north"}})
    depot.place({"gate": "12B", "floor": "first", "crates": "2.5"}, address=HOME, by_hub=True)
    with depot.store.read() as tx:
        query = Query(
            tx=tx,
            enterprise_id="shop",
            enterprise_name="Shop",
            currency="EUR",
            timezone="Europe/Paris",
            language=language,
            given={"sale": "shop-session"},
        )
        lines = look(query, "order_lines", "details", "customer_details", "pieces", put_together=True)
        assert [line[:2] for line in lines] == [expected]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "html"},
        {"kind": "terms", "vocabulary": FLOORS, "asked": "always"},
        {"kind": "amount", "asked": "always"},
    ],
)
def test_a_field_that_no_checkout_can_ask_is_refused_where_it_is_declared(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"the field x|for x"):
        OrderField(name="x", english="x", french="x", **wrong)


def test_the_api_takes_and_describes_the_fields(tmp_path: Path, commensal_instances: Instances) -> None:
    tour = ModuleType("tour")
    vars(tour)["order_fields"] = hookimpl(lambda: ORDER_FIELDS, specname="order_fields")
    vars(tour)["customer_fields"] = hookimpl(lambda: CUSTOMER_FIELDS, specname="customer_fields")
    plan = Plan(plugins=("tour",), modules={"tour": tour})
    with commensal_instances.open(tmp_path, plan) as instance, client_of(make_app(instance)) as client:
        with instance.store.write() as tx:
            a_shop(tx)
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="tour", settings={}, version=1))
            item = an_item(tx, a_lot(tx, on_hand="9"))
        headers = a_person(instance.store, "ada", role="owner")
        body = {"items": {item: 1}, "name": "Zoé", "email": "zoe@example.org"}
        url = "/api/enterprises/shop/sale-sessions/shop-session/orders"
        taken = client.post(
            url, json={**body, "plugin_fields": {"tour": {"gate": "7"}}}, headers={**headers, "Idempotency-Key": "1"}
        )
        assert (taken.status_code, taken.json()["plugin_fields"]) == (201, {"tour": {"gate": "7"}})
        changed = client.patch(
            f"/api/enterprises/shop/orders/{taken.json()['id']}",
            json={"plugin_fields": {"tour": {"floor": "ground"}}},
            headers={**headers, "If-Match": '"1"'},
        )
        assert changed.json()["plugin_fields"] == {"tour": {"gate": "7", "floor": "ground"}}
        customer = {"email": "bob@example.org", "plugin_fields": {"tour": {"route": 5}}}
        refused = client.post("/api/enterprises/shop/customers", json=customer, headers=headers)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/plugin_fields/tour/route")
        schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    for name, fields in (
        ("NewOrder", {"gate", "floor", "crates"}),
        ("OrderChanges", {"gate", "floor", "crates"}),
        ("HubOrder", {"gate", "floor", "crates"}),
        ("Order", {"gate", "floor", "crates"}),
        ("NewCustomer", {"route"}),
        ("CustomerPatch", {"route"}),
        ("Customer", {"route"}),
    ):
        described = schemas[name]["properties"]["plugin_fields"]["properties"]["tour"]["properties"]
        assert described.keys() == fields, name
