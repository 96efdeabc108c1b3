"""A shop, and a browser without JavaScript that reads pages, fills in forms and follows redirects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from commensal import OrderDraft, PaymentMethod, PaymentStart, Refused, Threshold, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.catalogs.tables import catalog_item, offer
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.tables import customer_order
from commensal.parts.checks import broken_invariants
from commensal.people.people import Person, add_person, new_person
from commensal.products.tables import supplied_product
from commensal.stock.movements import count_stock
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

collect_ignore = ["examples"]  # test_author_plugins.py runs them, each as a project of its own
PASSWORD = "a long enough password"
SALE = "/sales/shop-session"
_ALONE = {"input", "img", "br", "hr", "meta", "link"}  # elements without an end


@dataclass
class Form:
    """A form as a browser would send it: its address, the values of its fields, and boxes that could be ticked."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: set[str] = field(default_factory=set)
    is_hidden: bool = False


class Page(HTMLParser):
    """The text and the contents of a page. `elements` are all its tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text, self._open, self._area, self._select = "", list[str](), "", ""
        self.feed(html)
        self.forms = [form for form in self.forms if not form.is_hidden]
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        self.elements.append((tag, attributes))
        if tag not in _ALONE:
            self._open.append(tag)
        if tag == "form":
            action, method = attributes.get("action", ""), attributes.get("method", "get")
            self.forms.append(Form(action, method, is_hidden="hidden" in attributes))
        if tag == "input" and "form" in self._open and "name" in attributes and "disabled" not in attributes:
            if attributes.get("type") == "checkbox":
                self.forms[-1].boxes.add(attributes["name"])
            if attributes.get("type") == "checkbox" and "checked" not in attributes:
                pass
            elif attributes.get("type") == "radio" and "checked" not in attributes:
                self.forms[-1].fields.setdefault(attributes["name"], "")
            else:
                self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        if tag == "select" and "form" in self._open:
            self._select = attributes.get("name", "")
        if (
            tag == "option"
            and "form" in self._open
            and ("selected" in attributes or self._select not in self.forms[-1].fields)
        ):
            self.forms[-1].fields[self._select] = attributes.get("value", "")
        if tag == "textarea":
            self._area = attributes["name"]
            self.forms[-1].fields[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "textarea":
            self.forms[-1].fields[self._area] += data
        if not self._open or self._open[-1] not in ("script", "style"):
            self.text += data if not data.isspace() else " "

    def form(self, action: str) -> Form:
        return next(form for form in self.forms if form.action == action or (action and form.action.endswith(action)))

    def links(self) -> list[str]:
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def values(self, name: str) -> list[str]:
        """The values of a group of radio buttons."""
        return [
            attributes["value"]
            for tag, attributes in self.elements
            if tag == "input" and attributes.get("name") == name
        ]


@dataclass
class Browser:
    """A visitor. `page`, `status` and `at` are the current page, its status and its path."""

    client: TestClient
    page: Page = field(default_factory=lambda: Page(""))
    status: int = 0
    at: str = ""

    def __post_init__(self) -> None:
        self.client.headers["Origin"] = "http://testserver"
        self.reads("en")

    def reads(self, language: str) -> None:
        self.client.headers["Accept-Language"] = language

    def another(self) -> Browser:
        """Returns the browser of another visitor."""
        return Browser(TestClient(self.client.app, raise_server_exceptions=False))

    def go(self, url: str) -> Page:
        return self._see(self.client.get(url))

    def send(self, action: str, button: tuple[str, str] | None = None, /, **fields: str) -> Page:
        """Fills in the form with this action ("" is the page's own address) and presses the button."""
        form = self.page.form(action)
        unknown = set(fields) - set(form.fields) - form.boxes
        assert not unknown, f"the form has no fields {unknown}"
        data = {**form.fields, **fields, **(dict([button]) if button else {})}
        assert form.method == "post"
        return self._see(self.client.post(form.action or self.at, data=data))

    def post(self, url: str, **fields: str) -> Page:
        """Sends what no form of the page would send."""
        return self._see(self.client.post(url, data=fields))

    def _see(self, response: Any) -> Page:
        self.status, self.at = response.status_code, response.url.raw_path.decode()
        self.page = Page(response.text)
        return self.page

    def log_in(self, email: str = "ada@example.org") -> Page:
        self.go("/login")
        return self.send("/login", email=email, password=PASSWORD)


@dataclass(frozen=True)
class Stall:
    """A shop with carrots in two sizes of one lot, ten eggs, and two slots, of which the second has a fee."""

    instance: Instance
    small: str
    large: str
    eggs: str
    slots: tuple[str, str]
    heap: str
    nests: str

    def count(self, lot: str, on_hand: int) -> None:
        """Records a count of the lot's stock."""
        with self.instance.store.write() as tx:
            count_stock(tx, "shop", lot, Decimal(on_hand))


def list_many(stall: Stall, count: int) -> list[str]:
    """Lists `count` more goods, each like the eggs with a lot of its own, "Thé 0000" and on, that no session sells.
    Returns the ids of their items, in the order of the names."""
    with stall.instance.store.write() as tx:
        eggs = tx.one(select(catalog_item).where(catalog_item.c.id == stall.eggs))
        product = tx.one(select(supplied_product).where(supplied_product.c.id == eggs["product_id"]))
        lot = tx.one(select(stock_lot).where(stock_lot.c.id == stall.nests))
        price = tx.one(select(offer).where(offer.c.item_id == stall.eggs))
        names = {tx.new_id(): f"Thé {number:04}" for number in range(count)}
        lots = [{**lot, "id": f"lot-{id}", "name": name} for id, name in names.items()]
        about = [{"id": f"product-{id}", "lot_id": f"lot-{id}", "name": name} for id, name in names.items()]
        tx.execute(insert(stock_lot), lots)
        tx.execute(insert(supplied_product), [{**product, **each} for each in about])
        tx.execute(
            insert(catalog_item), [{**eggs, "id": id, "product_id": f"product-{id}", "name": None} for id in names]
        )
        tx.execute(insert(offer), [{**price, "id": f"offer-{id}", "item_id": id} for id in names])
    return list(names)


ORDER = ("then", "order")
CONTACT = {"name": "Bob Le Goff", "email": "bob@example.org"}


def to_the_checkout(browser: Browser, stall: Stall, **quantities: int) -> None:
    """Goes from the front page to the checkout by links and forms."""
    browser.go("/")
    assert SALE in browser.page.links()
    browser.go(SALE)
    items = {f"items/{getattr(stall, name)}": str(pieces) for name, pieces in quantities.items()}
    browser.send(f"{SALE}/cart", **items)
    assert browser.at == f"{SALE}/cart"
    browser.send("/cart", ("then", "checkout"))
    assert browser.at == f"{SALE}/checkout"


def buy(browser: Browser, stall: Stall, slot: int = 0, **fields: str) -> None:
    choices = {"shipping": stall.slots[slot], "payment_method": "cash:cash"}
    typed = {**CONTACT, **choices, **fields}
    if "email" not in browser.page.form("").fields:  # an order of an account takes the address of the account
        del typed["email"]
    browser.send("", ORDER, **typed)


def stored_orders(stall: Stall) -> list[dict[str, object]]:
    with stall.instance.store.read() as tx:
        rows = tx.all(select(customer_order).where(customer_order.c.state != "Draft").order_by(customer_order.c.number))
        assert broken_invariants(tx) == []
    return [dict(row) for row in rows]


@hookimpl
def payment_methods() -> list[PaymentMethod]:
    return [PaymentMethod(id="card", label="Card")]


@hookimpl
def start_payment() -> PaymentStart:
    raise Refused("declined", "Your bank has said no.")


@hookimpl
def order_thresholds(order: OrderDraft) -> list[Threshold]:
    goods = sum(line.amount for line in order.lines)
    return [Threshold(label="Packing", amount=5000, reached=goods, saving=150)]


@pytest.fixture
def settings(request: pytest.FixtureRequest, settings: InstanceSettings) -> InstanceSettings:
    """The plugins are those that a module names as ``PLUGINS``, or else what a shop needs."""
    enabled = getattr(request.module, "PLUGINS", ("shop", "cash", "pickup", "bank"))
    return replace(settings, name="Les Paniers", plugins={"enabled": list(enabled)})


@pytest.fixture
def instance(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Instance]:
    """An instance with the bundled plugins and with `bank`, which is this module and declines every card."""
    hooks = load_plugins(settings, clock=clock, modules={"bank": sys.modules[__name__]})
    instance = Instance(tmp_path, settings, store, hooks, clock, ids)
    yield instance
    instance.hooks.flush_failures()


@pytest.fixture
def stall(instance: Instance) -> Stall:
    with instance.store.write() as tx:
        a_shop(tx, name="Halle Saint-Jean", city="Tours")
        for plugin in ("cash", "pickup"):
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings={}, version=1))
        lot, kilo = a_lot(tx, name="Carottes", unit="Kilogram", on_hand="12"), {"unit": "Kilogram"}
        small = an_item(tx, lot, name="Carottes", price=240, grains=1000, labels=["Organic-AB"], **kilo)
        large = an_item(tx, lot, name="Carottes", price=1050, grains=5000, quantity=Decimal(5), **kilo)
        nests = a_lot(tx, name="Œufs")
        eggs = an_item(
            tx,
            nests,
            name="Œufs par 6",
            price=215,
            deposit=20,
            quantity=Decimal(6),
            product_type="local-grocery-store",
            allergens=["Eggs"],
            description="<p>Du <em>matin</em>.</p>",
        )
        hall, station = add_place(tx, "shop", name="Salle des fêtes"), add_place(tx, "shop", name="Gare", price=150)
        begins_at = tx.now + timedelta(days=2, hours=5)
        times: Any = {"begins_at": begins_at, "ends_at": begins_at + timedelta(hours=1), "capacity": 2}
        slots = [add_slot(tx, "shop", "shop-session", place_id=place.id, **times).id for place in (hall, station)]
    return Stall(instance, small, large, eggs, (f"pickup:{slots[0]}", f"pickup:{slots[1]}"), lot, nests)


@pytest.fixture
def browser(client: TestClient) -> Browser:
    """A visitor who reads English and is not logged in."""
    return Browser(client)


@pytest.fixture
def ada(instance: Instance) -> Person:
    """A person with an account and a confirmed address."""
    ada = new_person(email="ada@example.org", name="Ada Martin", password=PASSWORD, language="en", phone="0600000000")
    with instance.store.write() as tx:
        person = add_person(tx, ada, confirmed=True)
    assert person is not None
    return person
