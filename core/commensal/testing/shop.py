"""A shop for tests of plugins, which read as sentences: ``shop.order({"carrots": 4})``, ``shop.pay("cash:cash")``.

It uses the same commands as a serving instance to place orders, ask for prices and begin payments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from starlette.testclient import TestClient

from ..api.authenticate import session_cookie
from ..enterprises.enterprises import enterprise_by_id
from ..enterprises.plugins import disable_plugin, enable_plugin, offered_plugins
from ..enterprises.tables import enterprise_member
from ..enterprises.tokens import make_token
from ..hooks.values import PaymentMethod, ShippingOption
from ..instance import Instance
from ..orders import cancel, change, fulfil, place
from ..orders.lock import locked_order
from ..orders.price import Choices
from ..orders.questions import order_by_id
from ..orders.quote import Offered, quote_order
from ..orders.values import Order, Quote, Wish
from ..parts.accounts import phones
from ..parts.accounts.operators import add_confirmed_person
from ..parts.accounts.phones import ask_for_proof, new_phone_code
from ..parts.checks import broken_invariants
from ..parts.reports.parameters import read_parameters
from ..parts.reports.run import find_report
from ..parts.reports.values import Cell, Line, Query, Report
from ..payments import begin, methods
from ..payments.values import Payment
from ..people.actor import ROLES, SELF
from ..people.people import NewPerson, Person
from ..people.sessions import begin_session
from ..pricing.values import Address
from ..sale_sessions.questions import sale_by_id
from ..sale_sessions.values import SaleSession
from ..storage.database import Transaction
from .instances import Plan, RunJobs, client_of
from .placed import a_lot, a_shop, an_item

TEN_EUROS = {"carrots": 4}  # the default order


@dataclass(kw_only=True)
class Shop:
    """A hub in euros whose prices include VAT, with these goods on sale until tomorrow noon:

    carrots: 2.50 a piece, VAT 5.5 %; juice: 3.00 and a deposit of 0.50, VAT 5.5 %; soap: 5.00, VAT 20 %; chicken:
    24.00 for 2 kg, sold by weight, VAT 5.5 %; honey: 8.00, VAT 5.5 %, and only three jars of it.

    `items` are their ids by these names. All amounts are in cents. `customer` is the default person who orders; None is
    a guest.
    """

    id: str
    instance: Instance
    client: TestClient
    run_jobs: RunJobs
    items: Mapping[str, str]
    owner: Person = field(repr=False)
    token: str = field(repr=False)
    latest: Order | None = None
    customer: Person | None = None

    @property
    def session_id(self) -> str:
        return f"{self.id}-session"

    @property
    def session(self) -> SaleSession:
        """The sale, with the times at which it closes and its goods are distributed."""
        with self.instance.store.read() as tx:
            return sale_by_id(tx, self.session_id).session

    # ---------------------------------------------------------------------------------------- plugins

    def use(self, plugin: str, settings: Mapping[str, object] | None = None) -> None:
        """Enables a plugin. Raises `Invalid` for invalid settings."""
        with self.instance.store.write() as tx:
            enable_plugin(tx, self.instance.hooks, self.id, plugin, settings or {})

    def do_without(self, plugin: str) -> None:
        """Disables a plugin."""
        with self.instance.store.write() as tx:
            disable_plugin(tx, self.instance.hooks, self.id, plugin)

    # ---------------------------------------------------------------------------------------- people

    def prove_phone(self, person: Person, plugin: str, phone: str) -> None:
        """Lets the person prove a mobile number (E.164), as with the code that the plugin's channel has sent there."""
        with self.instance.store.write() as tx:
            ask_for_proof(tx, person.id, plugin, phone, self.id)
            assert phones.prove_phone(tx, person.id, new_phone_code(tx, person.id, plugin, phone) or "")

    # ---------------------------------------------------------------------------------------- before an order

    def payment_methods(self, language: str = "en", *, person: Person | None = None) -> list[PaymentMethod]:
        """The payment methods, each with the id "plugin:method"."""
        return methods.payment_methods(self.instance, self.id, language, person_id=self._person_id(person))

    def shipping_options(
        self, language: str = "en", address: Address | None = None, goods: Mapping[str, int] = TEN_EUROS
    ) -> Mapping[str, ShippingOption]:
        """The shipping options for these pieces, by "plugin:option"."""
        return self._offer(goods, Choices(address=address), language, None).shipping_options

    def quote(
        self, goods: Mapping[str, int] = TEN_EUROS, *, person: Person | None = None, language: str = "en", **chosen: Any
    ) -> Quote:
        """A quote for these pieces. `chosen` are `shipping`, `payment_method`, `codes`, `address`,
        `plugin_fields`."""
        return self._offer(goods, Choices(**chosen), language, person).quote

    def _offer(self, goods: Mapping[str, int], chosen: Choices, language: str, person: Person | None) -> Offered:
        with self.instance.store.read() as tx:
            return quote_order(
                tx,
                self.instance.hooks,
                self.session_id,
                self._by_item(goods),
                language=language,
                person_id=self._person_id(person),
                chosen=chosen,
            )

    # ---------------------------------------------------------------------------------------- an order

    def order(
        self, goods: Mapping[str, int] = TEN_EUROS, *, person: Person | None = None, by_hub: bool = False, **wish: Any
    ) -> Order:
        """Places an order. `wish` are fields of `Wish`: `shipping`, `payment_method`, `codes`, `address`, `total` …"""
        person = person or self.customer
        customer = (
            {"name": person.name, "email": person.email} if person else {"name": "Ada", "email": "ada@example.org"}
        )
        full_wish = Wish(items=self._by_item(goods), **{"language": "en", **customer, **wish})
        with self.instance.store.write() as tx:
            self.latest = place.place_order(
                tx, self.instance.hooks, self.session_id, full_wish, person_id=self._person_id(person), by_hub=by_hub
            )
        return self.latest

    def change(self, goods: Mapping[str, int] | None = None, *, order: Order | None = None, **changed: Any) -> Order:
        """Changes the order, or the latest one: its goods, `shipping`, `address`, `codes`, `note`."""
        items = None if goods is None else self._by_item(goods)
        with self.instance.store.write() as tx:
            self.latest = change.change_order(tx, self.instance.hooks, self._locked(tx, order), items=items, **changed)
        return self.latest

    def cancel(self, order: Order | None = None, *, by_hub: bool = False) -> Order:
        """Cancels the order, or the latest one."""
        with self.instance.store.write() as tx:
            self.latest = cancel.cancel_order(tx, self.instance.hooks, self._locked(tx, order), by_hub=by_hub)
        return self.latest

    def weigh(self, weights: Mapping[str, str | Decimal], order: Order | None = None) -> Order:
        """Records the weights of goods, in their units: ``shop.weigh({"chicken": "1.87"})``."""
        with self.instance.store.write() as tx:
            locked = self._locked(tx, order)
            lines = {line.item_id: line.id for line in locked.lines}
            by_line = {lines[self.items[name]]: Decimal(weight) for name, weight in weights.items()}
            self.latest = fulfil.weigh_order(tx, self.instance.hooks, locked, by_line)
        return self.latest

    def hand_over(self, order: Order | None = None) -> Order:
        """Hands the order, or the latest one, over to its customer."""
        with self.instance.store.write() as tx:
            self.latest = fulfil.hand_order_over(tx, self._locked(tx, order))
        return self.latest

    def see(self, order: Order | None = None) -> Order:
        """The order, or the latest one, as it is now."""
        with self.instance.store.read() as tx:
            return order_by_id(tx, self._meant(order).id, enterprise_id=self.id)

    # ---------------------------------------------------------------------------------------- money

    def pay(self, method: str, order: Order | None = None, *, language: str = "en", key: str = "") -> Payment:
        """Begins a payment of what is due for the order, or the latest one, by "plugin:method"; once for each `key`."""
        chosen = key or self.instance.ids.new(self.instance.clock.now())
        return begin.start_payment(self.instance, self._meant(order).id, method, chosen, language)

    def receive(self, method: str, amount: int | None = None, order: Order | None = None) -> None:
        """Records money received for the order, or the latest one; by default all that is due."""
        target = self.see(order)
        due = target.total - target.paid_total if amount is None else amount
        self.ask("POST", f"/orders/{target.id}/payments", {"method": method, "amount": due})

    # ---------------------------------------------------------------------------------------- reports

    def report(self, name: str, *, language: str = "en", **choices: str) -> list[dict[str, Cell]]:
        """Lines of the report "plugin:id", by the names of their columns. `choices` are its parameters, as text."""
        columns = [column.name for column in self._report(name, language).columns]
        lines = self.report_lines(name, language=language, **choices)
        return [dict(zip(columns, line, strict=True)) for line in lines]

    def report_lines(self, name: str, *, language: str = "en", **choices: str) -> list[Line]:
        """The lines of the report as the plugin returns them."""
        report = self._report(name, language)
        with self.instance.store.read() as tx:
            shop = enterprise_by_id(tx, self.id)
            query = Query(
                tx=tx,
                enterprise_id=shop.id,
                enterprise_name=shop.name,
                currency=shop.currency,
                timezone=shop.timezone,
                language=language,
                given=read_parameters(tx, shop, report.parameters, choices),
            )
            return list(report.rows(query))

    def _report(self, name: str, language: str) -> Report:
        plugin, _, report_id = name.partition(":")
        with self.instance.store.read() as tx:
            return find_report(tx, self.instance.hooks, self.id, plugin, report_id, language)

    # ---------------------------------------------------------------------------------------- people, pages, API

    def somebody(self, email: str = "ada@example.org", name: str = "Ada", language: str = "en") -> Person:
        """A person with an account and a confirmed address, to order as."""
        with self.instance.store.write() as tx:
            return _person(tx, email, name, language)

    def page(self, path: str, *, language: str = "en", **query: str) -> Any:
        """The response to a visitor who reads this language and is not logged in."""
        return self.client.get(path, params=query, headers={"Accept-Language": language})

    def office(self, path: str = "", form: Mapping[str, str] | None = None, *, language: str = "en") -> Any:
        """The response of the office to the shop's owner: of the page at `path` below its address ("/orders"), or to a
        form that is sent there, after redirects."""
        with self.instance.store.write() as tx:
            session = begin_session(tx, self.owner).secret
        browser = client_of(self.client.app)
        browser.cookies.set(session_cookie(self.instance.settings.base_url), session)
        headers = {"Origin": self.instance.settings.base_url, "Accept-Language": language}
        address = f"/office/{self.id}{path}"
        if form is None:
            return browser.get(address, headers=headers)
        return browser.post(address, data=dict(form), headers=headers)

    def ask(self, method: str, path: str, body: object = None, *, version: int | None = None) -> Any:
        """Calls the API as the shop's owner, and returns the JSON of its response; an error is an AssertionError.

        `path` is below the shop's own path ("/plugins"), or a plugin's ("/-/pickup/places").
        """
        answer = self.try_to_ask(method, path, body, version=version)
        assert answer.is_success, f"{method} {path} was answered {answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def try_to_ask(self, method: str, path: str, body: object = None, *, version: int | None = None) -> Any:
        """The response itself, where a refusal is expected."""
        plugin, _, tail = path.removeprefix("/-/").partition("/") if path.startswith("/-/") else ("", "", path[1:])
        below = f"/api/-/{plugin}" if plugin else "/api"
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": self.instance.ids.secret()}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.request(method, f"{below}/enterprises/{self.id}/{tail}", json=body, headers=headers)

    # ---------------------------------------------------------------------------------------- time, books

    def close(self) -> None:
        """Moves the clock to the closing of the sale, and runs the jobs that follow."""
        self.run_jobs(seconds=max(0.0, (self.session.closes_at - self.instance.clock.now()).total_seconds()))

    def neighbour(self, id: str = "neighbour") -> Shop:
        """Another shop on the same instance, with the same goods and without plugins."""
        return open_shop(self.instance, self.client, self.run_jobs, Plan(), id)

    def mails(self) -> Sequence[str]:
        """E-mails that were sent, as source text, in no order. Jobs send them, so call `run_jobs` first."""
        return [file.read_text(encoding="utf-8") for file in (self.instance.folder / "mail").glob("*.eml")]

    def check(self) -> None:
        """Checks the invariants of stock, numbers, totals, payments and journals, as ``commensal check`` does."""
        with self.instance.store.read() as tx:
            broken = broken_invariants(tx, self.instance.hooks)
        assert not broken, "; ".join(map(str, broken))

    # ----------------------------------------------------------------------------------------

    def _by_item(self, goods: Mapping[str, int]) -> dict[str, int]:
        return {self.items[name]: pieces for name, pieces in goods.items()}

    def _person_id(self, person: Person | None) -> str | None:
        customer = person or self.customer
        return customer.id if customer else None

    def _meant(self, order: Order | None) -> Order:
        target = order or self.latest
        assert target is not None, "nothing was ordered yet"
        return target

    def _locked(self, tx: Transaction, order: Order | None) -> Order:
        return locked_order(tx, self._meant(order).id, enterprise_id=self.id)


def open_shop(instance: Instance, client: TestClient, run_jobs: RunJobs, plan: Plan, id: str = "shop") -> Shop:
    """A shop with an owner, goods and an open sale, where the plan's plugins for enterprises are enabled."""
    with instance.store.write() as tx:
        a_shop(tx, id, language="en")
        items = _goods(tx, id)
        owner = _person(tx, f"owner-{id}@example.org", "Olivia", "en")
        member = {"enterprise_id": id, "person_id": owner.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(member))
        token = make_token(
            tx, owner.id, name="Tests", scopes=ROLES["owner"] | tx.own_scopes.by_name.keys() | {SELF}
        ).secret
    shop = Shop(id=id, instance=instance, client=client, run_jobs=run_jobs, items=items, owner=owner, token=token)
    for plugin in offered_plugins(instance.hooks):
        if plugin in plan.plugins:
            shop.use(plugin, plan.settings.get(plugin))
    return shop


def _goods(tx: Transaction, shop: str) -> dict[str, str]:
    plenty = {name: a_lot(tx, shop, name=name, on_hand="1000") for name in ("carrots", "juice", "soap")}
    kilos = a_lot(tx, shop, name="chicken", unit="Kilogram", on_hand="200")
    jars = a_lot(tx, shop, name="honey", on_hand="3")
    by_weight: dict[str, Any] = {"grains": 2000, "quantity": Decimal(2), "unit": "Kilogram", "weighed": True}
    return {
        "carrots": an_item(tx, plenty["carrots"], shop, name="Carrots", price=250),
        "juice": an_item(tx, plenty["juice"], shop, name="Juice", price=300, deposit=50),
        "soap": an_item(tx, plenty["soap"], shop, name="Soap", price=500, vat="20"),
        "chicken": an_item(tx, kilos, shop, name="Chicken", price=2400, **by_weight),
        "honey": an_item(tx, jars, shop, name="Honey", price=800),
    }


def _person(tx: Transaction, email: str, name: str, language: str) -> Person:
    new_person = NewPerson(email=email, name=name, phone="", language=language, password_hash="")
    person = add_confirmed_person(tx, new_person)
    assert person is not None, f"{email} is known already"
    return person
