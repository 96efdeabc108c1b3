"""Code of a plugin that runs outside hooks (endpoints, pages, rows of reports, jobs) stops no orders, and each failure
names the plugin, whatever it does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

import commensal.hooks.dispatcher as dispatcher
from commensal import Call, Instance, Job, MenuItem, Periodic, Report, Routes, Work, hookimpl
from commensal.api import plugin_loops
from commensal.base.clock import ManualClock
from commensal.base.errors import NotFound, PluginError
from commensal.base.ids import SeededIds
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.plugins import disable_plugin
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.hooks import specifications
from commensal.hooks.failures import failures_by_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.tables import customer_order
from commensal.orders.values import Wish
from commensal.pages import Visit, page
from commensal.parts.reports.formats import find_format
from commensal.parts.reports.run import find_report, print_report
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.people.actor import Actor
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store, Transaction, insert_rows
from commensal.storage.jobs import run
from commensal.storage.jobs.enqueue import enqueue
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.registry import Slots
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal.testing.probe import Telling

SHORT = 0.05  # seconds a plugin's transaction may take in these tests; hanging code ends by an event
COLUMNS: list[Any] = []


class Sick:
    """A plugin that fails by `fault` in everything it does, until `fault` is empty."""

    def __init__(self, fault: str) -> None:
        self.fault, self.calls = fault, 0
        self.inside, self.go = threading.Event(), threading.Event()

    def act(self, tx: Transaction | None = None) -> None:
        """Fails by `fault`: raises, exits or hangs."""
        self.calls += 1
        if self.fault == "raises":
            raise RuntimeError("broken on purpose")
        if self.fault == "exits":
            sys.exit(3)
        if self.fault == "hangs":
            self.hang()

    def hang(self) -> None:
        """Hangs until the test sets `go`; `inside` is set meanwhile."""
        self.inside.set()
        try:
            assert self.go.wait(60)
        finally:
            self.inside.clear()

    def in_transaction(self, instance: Instance) -> None:
        with instance.store.write() as tx:
            enqueue(tx, "sick.nothing", {}, due_at=tx.now + timedelta(days=9))
            self.act()

    def module(self) -> ModuleType:
        module = ModuleType("sick")
        for method in (self.endpoints, self.routes, self.reports, self.jobs, self.menu_items, self.price_adjustments):
            setattr(module, method.__name__, hookimpl(_function(method)))
        return module

    def endpoints(self) -> Any:
        routes = Routes("sick")

        @routes.post("/work", scope="public", untraced="a test")
        def sick_work(call: Call) -> str:
            """Works in the transaction of the call."""
            self.act()
            return "done"

        @routes.get("/look", scope="public")
        def sick_look(call: Call) -> str:
            """Looks something up."""
            self.act()
            return "seen"

        @routes.get("/enterprises/{enterprise}/mine", scope="enterprise:read")
        def sick_mine(call: Call, enterprise: str) -> str:
            """Something of an enterprise's."""
            return enterprise

        @routes.get("/enterprises/{enterprise}/always", scope="enterprise:read", where_off=True)
        def sick_always(call: Call, enterprise: str) -> str:
            """Something that an enterprise finds before it switches the plugin on."""
            return enterprise

        if self.fault == "undescribed":

            @routes.get("/odd", scope="public")
            def sick_odd(call: Call) -> threading.Event:
                """Answers what no schema describes."""
                return self.go

        return routes.endpoints

    def menu_items(self) -> Any:
        self.act()
        return [MenuItem(label="Sick", url="/-/sick/page")]

    def price_adjustments(self) -> Any:
        if self.fault == "hangs in a price":
            self.hang()

    def routes(self, instance: Instance) -> Any:
        def raw(request: Request) -> Response:
            self.in_transaction(instance)
            return PlainTextResponse("done")

        async def later(request: Request) -> Response:
            if self.fault == "blocks":  # the event loop, without a transaction
                self.hang()
            self.in_transaction(instance)
            return PlainTextResponse("done")

        def form(visit: Visit) -> Response:
            self.in_transaction(visit.instance)
            return PlainTextResponse("done")

        def sorry(visit: Visit, error: Exception) -> Response:
            return PlainTextResponse(str(error), 500)

        def shown(visit: Visit) -> Response:
            return PlainTextResponse("shown")

        def told(visit: Visit, error: Exception) -> Response:
            return PlainTextResponse(str(error), 404 if isinstance(error, NotFound) else 500)

        return [
            Route("/raw", raw),
            Route("/later", later),
            page("/page", form, on_error=sorry),
            page("/enterprises/{enterprise}/mine", shown, on_error=told),
            page("/enterprises/{enterprise}/always", shown, on_error=told, where_off=True),
        ]

    def reports(self) -> Any:
        def lines(query: Any) -> Iterator[list[str]]:
            self.act()
            yield []

        return [Report(id="all", label="All", description="", columns=COLUMNS, rows=lines)]

    def jobs(self) -> Any:
        def work(instance: Instance, job: Job) -> None:
            if self.fault == "hangs outside":  # of a transaction
                self.hang()
            self.in_transaction(instance)

        return Work({"sick.work": work}, (Periodic("sick.often", timedelta(minutes=1), self.act),))


def _function(method: Callable[..., Any]) -> Callable[..., Any]:
    if method.__name__ == "routes":
        return lambda instance: method(instance)
    return lambda: method()


class Shop:
    """An instance with the plugin, and a customer who orders at the shop."""

    def __init__(self, instance: Instance, sick: Sick, item: str) -> None:
        self.instance, self.sick, self.item = instance, sick, item
        keeper = Telling(instance.store)
        instance.hooks.keep_failures(keeper)
        self.failure_noted = keeper.told  # when a failure was noted

    def order(self) -> None:
        wish = Wish(items={self.item: 1}, name="Ada", email="ada@example.org")
        self.instance.store.transact(lambda tx: place_order(tx, self.instance.hooks, "shop-session", wish))

    @property
    def orders(self) -> int:
        with self.instance.store.read() as tx:
            return int(tx.value(select(func.count()).select_from(customer_order)))

    def failure_text(self) -> str:
        """Returns what the operator sees of the plugin: where it failed, and how."""
        self.instance.hooks.flush_failures()
        with self.instance.store.read() as tx:
            failures = failures_by_plugin(tx)
        assert set(failures) <= {"sick"}, "nobody else is blamed"
        return f"{failures['sick'].hook}: {failures['sick'].what}" if failures else ""


Make = Callable[[str], Shop]


def test_what_fails_in_a_page_that_a_plugin_adds_to_another_ones_is_its_own_failure(make_shop: Make) -> None:
    shop = make_shop("")
    running = shop.instance.hooks.running
    with pytest.raises(RuntimeError), running("office", "page /office"), running("sick", "office page lottery"):
        raise RuntimeError("broken on purpose")
    assert shop.failure_text() == "office page lottery: RuntimeError: broken on purpose"


@pytest.fixture
def make_shop(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    shops: list[Shop] = []

    def make(fault: str) -> Shop:
        if fault == "hangs":
            monkeypatch.setattr(dispatcher, "TRANSACTION_SECONDS", SHORT)
            monkeypatch.setattr(dispatcher, "READING_SECONDS", SHORT)
        sick = Sick(fault)
        settings = InstanceSettings(
            name="Test", base_url="http://testserver", language="en", plugins={"enabled": ["sick"]}
        )
        hooks = load_plugins(settings, clock=clock, modules={"sick": sick.module()})
        instance = Instance(tmp_path, settings, store, hooks, clock, ids)
        with store.write() as tx:
            a_shop(tx)
            insert_rows(
                tx, enterprise_plugin, [{"enterprise_id": "shop", "plugin": "sick", "settings": {}, "version": 1}]
            )
            item = an_item(tx, a_lot(tx, on_hand="50"))
        shops.append(Shop(instance, sick, item))
        return shops[0]

    yield make
    for shop in shops:
        shop.sick.go.set()
        shop.instance.hooks.flush_failures()


def request(method: str, path: str) -> Callable[[Shop], str]:
    def ask(shop: Shop) -> str:
        with TestClient(make_app(shop.instance), raise_server_exceptions=False) as client:
            answer = client.request(method, path)
            assert not shop.sick.inside.is_set() or shop.sick.go.wait(60)  # the event loop waits for its threads
            return f"{answer.status_code} {answer.text}"

    return ask


def get(path: str) -> Callable[[Shop], str]:
    return request("GET", path)


def post(path: str) -> Callable[[Shop], str]:
    return request("POST", path)


def report(shop: Shop) -> str:
    store, hooks = shop.instance.store, shop.instance.hooks
    with store.read() as tx:
        found_report = find_report(tx, hooks, "shop", "sick", "all", "en")
        owner = enterprise_by_id(tx, "shop")
    try:
        return str(len(list(print_report(store, owner, found_report, {}, format=find_format("csv"), language="en"))))
    except Exception as error:
        return f"500 {error}"


def work(shop: Shop) -> str:
    with shop.instance.store.write() as tx:
        enqueue(tx, "sick.work", {})
    run_due(shop.instance, work_of(shop.instance))
    with shop.instance.store.read() as tx:
        return str(tx.value(select(job.c.error).where(job.c.kind == "sick.work")))


def periodic(shop: Shop) -> str:
    work = work_of(shop.instance)
    return str(
        run_periodic(
            shop.instance,
            Work({}, tuple(periodic_work for periodic_work in work.periodic if periodic_work.name == "sick.often")),
        )
    )


# How to reach the plugin's code, and the place that the failure names.
REACH: dict[str, tuple[Callable[[Shop], str], str]] = {
    "endpoint": (post("/api/-/sick/work"), "endpoint sick_work"),
    "reading endpoint": (get("/api/-/sick/look"), "endpoint sick_look"),
    "route": (get("/-/sick/raw"), "page /raw"),
    "async route": (get("/-/sick/later"), "page /later"),
    "page": (get("/-/sick/page"), "page /page"),
    "report": (report, "report all"),
    "job": (work, "job sick.work"),
    "periodic work": (periodic, "periodic sick.often"),
}
MESSAGES = {"raises": "RuntimeError: broken on purpose", "exits": "SystemExit: 3"}


@pytest.mark.parametrize("fault", MESSAGES)
@pytest.mark.parametrize("where", REACH)
def test_what_fails_is_noted_with_the_plugin_and_orders_go_on(make_shop: Make, where: str, fault: str) -> None:
    shop = make_shop(fault)
    reach, place = REACH[where]
    reach(shop)
    assert shop.failure_text() == f"{place}: {MESSAGES[fault]}"
    shop.order()
    assert shop.orders == 1
    shop.sick.fault = ""
    reach(shop)
    assert shop.failure_text() == f"{place}: {MESSAGES[fault]}", "and not again"


@pytest.mark.parametrize("where", REACH)
def test_who_hangs_in_a_transaction_loses_it_while_orders_go_on(make_shop: Make, where: str) -> None:
    """The order is placed while the plugin still hangs. Its own writes are undone."""
    shop = make_shop("hangs")
    reach, place = REACH[where]
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(reach, shop)
        assert shop.sick.inside.wait(30)
        shop.order()
        assert shop.failure_noted.wait(30)
        assert hanging.done() or shop.sick.inside.is_set(), "only visitors are answered before the plugin returns"
        shop.sick.go.set()
        hanging.result(60)
    assert shop.orders == 1
    assert shop.failure_text() == f"{place}: it took too long"
    with shop.instance.store.read() as tx:
        assert tx.value(select(func.count()).where(job.c.kind == "sick.nothing")) == 0


@pytest.mark.parametrize("where", ["endpoint", "reading endpoint", "route", "async route", "page"])
def test_a_visitor_is_answered_at_the_time_limit_and_not_when_the_plugin_comes_back(
    make_shop: Make, where: str
) -> None:
    shop = make_shop("hangs")
    method, path = {
        "endpoint": ("POST", "/api/-/sick/work"),
        "reading endpoint": ("GET", "/api/-/sick/look"),
        "route": ("GET", "/-/sick/raw"),
        "async route": ("GET", "/-/sick/later"),
        "page": ("GET", "/-/sick/page"),
    }[where]
    with TestClient(make_app(shop.instance), raise_server_exceptions=False) as client:
        answer = client.request(method, path)
        assert shop.sick.inside.is_set(), "it still hangs"
        assert answer.status_code in (500, 502)
        assert "sick" in answer.text
        shop.sick.go.set()


def test_who_hangs_three_times_is_set_aside_for_a_minute(make_shop: Make, clock: ManualClock) -> None:
    shop = make_shop("hangs")
    with TestClient(make_app(shop.instance), raise_server_exceptions=False) as client:
        for _ in range(3):
            assert client.get("/-/sick/page").status_code == 500
        assert "set aside" in shop.failure_text()
        shop.sick.inside.clear()
        aside = client.get("/-/sick/page")
        assert (aside.status_code, shop.sick.inside.is_set()) == (502, False), "it is not even asked"
        shop.sick.fault = ""
        shop.sick.go.set()
        assert client.get("/-/sick/page").status_code == 502
        clock.advance(minutes=2)
        assert client.get("/-/sick/page").text == "done"
        assert client.get("/-/sick/page").text == "done"


@pytest.mark.parametrize("path", ["/-/sick/page", "/api/-/sick/look"])
def test_a_place_where_one_network_alone_has_waited_stays_open_to_all_others(
    make_shop: Make, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Its requests may be the reason, like one for something large. What others see too is the plugin's fault."""
    shop = make_shop("hangs")
    for limit in ("TRANSACTION_SECONDS", "READING_SECONDS"):
        monkeypatch.setattr(dispatcher, limit, 10 * SHORT)  # on a busy machine a thread may begin later than SHORT
    app = make_app(shop.instance)

    def ask(network: str) -> tuple[int, bool]:
        """Returns the status, and whether the plugin was asked."""
        before = shop.sick.calls
        client = TestClient(app, raise_server_exceptions=False, client=(network, 1))
        return client.get(path).status_code, shop.sick.calls > before

    assert [ask("192.0.2.1")[1] for _ in range(4)] == [True, True, True, False]
    assert "for the network that requested this" in shop.failure_text()
    shop.sick.fault = ""
    shop.sick.go.set()
    assert (ask("192.0.2.1"), ask("192.0.2.2")[0]) == ((502, False), 200)
    shop.sick.fault = "hangs"
    shop.sick.go.clear()
    assert [ask(f"192.0.2.{number}")[1] for number in (3, 3, 4, 5)] == [True, True, True, False]
    assert shop.failure_text().endswith("it is set aside for a minute")


@pytest.mark.parametrize("fault", ["hangs", "hangs outside"])
def test_a_worker_leaves_a_job_behind_that_hangs_for_ever(
    make_shop: Make, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(run, "PLUGIN_SECONDS", SHORT if fault == "hangs outside" else 60)
    shop, slots = make_shop(fault), Slots()

    def work_once() -> str:
        with shop.instance.store.write() as tx:
            job_id = enqueue(tx, "sick.work", {})
        assert run_due(shop.instance, work_of(shop.instance), slots)
        with shop.instance.store.read() as tx:
            return str(tx.value(select(job.c.error).where(job.c.id == job_id)))

    for _ in range(2):
        assert work_once().endswith("it took too long")
        assert shop.sick.inside.is_set(), "it still hangs"
    hanging = [thread for thread in threading.enumerate() if thread.name == "sick"]
    assert work_once().endswith("earlier calls still hang")
    assert [thread for thread in threading.enumerate() if thread.name == "sick"] == hanging
    assert shop.failure_text() == "job sick.work: it took too long"
    shop.sick.fault = ""
    shop.sick.go.set()
    for thread in hanging:
        thread.join(30)
    assert work_once() == ""


def test_a_worker_leaves_periodic_work_behind_that_hangs_for_ever(make_shop: Make) -> None:
    shop = make_shop("hangs")
    work = Work({}, tuple(task for task in work_of(shop.instance).periodic if task.name == "sick.often"))
    assert run_periodic(shop.instance, work, may_abandon=True) == []
    assert shop.sick.inside.is_set(), "it still hangs"
    assert shop.failure_text() == "periodic sick.often: it took too long"


def test_fifty_requests_that_hang_leave_the_shop_its_threads(make_shop: Make) -> None:
    """Others are answered while these hang."""
    shop = make_shop("")
    with TestClient(make_app(shop.instance), raise_server_exceptions=False) as client:
        client.get("/api/directory")
        shop.sick.fault = "hangs"
        with ThreadPoolExecutor(60) as pool:
            hanging = [pool.submit(client.get, "/api/-/sick/look") for _ in range(50)]
            assert shop.sick.inside.wait(30)
            assert client.get("/api/directory").status_code == 200
            assert not any(request.done() for request in hanging)
            shop.sick.go.set()
            assert {request.result(60).status_code for request in hanging} == {200}


def test_an_async_route_that_blocks_delays_no_order(make_shop: Make) -> None:
    shop = make_shop("blocks")
    wish = {"items": {shop.item: 1}, "name": "Ada", "email": "ada@example.org"}
    with TestClient(make_app(shop.instance)) as client, ThreadPoolExecutor() as pool:
        blocking = pool.submit(client.get, "/-/sick/later")
        assert shop.sick.inside.wait(30)
        answer = client.post("/api/sale-sessions/shop-session/orders", json=wish, headers={"Idempotency-Key": "1"})
        assert (answer.status_code, blocking.done()) == (201, False), "the order waits until the route comes back"
        assert client.get("/-/sick/page").text == "done", "its pages run in threads"
        shop.sick.go.set()
        assert blocking.result(60).text == "done"
        assert client.get("/-/sick/later").text == "done"


def test_a_plugin_whose_loop_is_blocked_is_set_aside_and_comes_back(
    make_shop: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_loops, "PATIENCE", SHORT)
    shop = make_shop("blocks")
    with TestClient(make_app(shop.instance)) as client, ThreadPoolExecutor() as pool:
        blocking = pool.submit(client.get, "/-/sick/later")
        assert shop.sick.inside.wait(30)
        for _ in range(3):
            assert client.get("/-/sick/later").status_code == 502
        assert (
            shop.failure_text()
            == "page /later: it took too long; it is set aside for a minute for the network that requested this"
        )
        shop.sick.go.set()
        assert blocking.result(60).text == "done"
        assert client.get("/-/sick/later").status_code == 502
        clock.advance(minutes=2)
        assert client.get("/-/sick/later").text == "done"


def test_the_loop_of_a_plugin_ends_with_its_app(make_shop: Make) -> None:
    def loops() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "loop of sick"}

    before = loops()
    app = make_app(make_shop("").instance)
    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/-/sick/later").text == "done"
            (thread,) = loops() - before
        thread.join(30)
        assert not thread.is_alive()


def test_a_buyer_is_answered_while_the_price_rule_still_hangs(make_shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no order is placed, whatever the rule does when it returns."""
    hook = specifications.price_adjustments
    monkeypatch.setattr(hook, "contract", replace(hook.contract, timeout=SHORT))
    shop = make_shop("hangs in a price")
    wish = {"items": {shop.item: 1}, "name": "Ada", "email": "ada@example.org", "total": 0}
    with TestClient(make_app(shop.instance), raise_server_exceptions=False) as client:
        answer = client.post("/api/sale-sessions/shop-session/orders", json=wish, headers={"Idempotency-Key": "1"})
        assert shop.sick.inside.is_set(), "it still hangs"
        assert (answer.status_code, answer.json()["code"]) == (502, "plugin"), answer.text
        shop.sick.go.set()
    assert shop.orders == 0
    assert shop.failure_text() == "price_adjustments: it took too long"


def test_the_menu_is_asked_once_and_no_page_waits_for_it(make_shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = specifications.menu_items
    monkeypatch.setattr(hook, "contract", replace(hook.contract, timeout=SHORT))
    shop = make_shop("hangs")
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
    visit = Visit(instance=shop.instance, request=request, actor=Actor(), language="en", form={})
    assert list(visit._menu()) == []
    assert shop.sick.inside.is_set(), "it still hangs"
    assert shop.failure_noted.wait(30)
    shop.sick.go.set()
    assert shop.failure_text() == "menu_items: it took too long"


def test_a_type_that_cannot_be_described_stops_the_start_and_names_its_plugin(make_shop: Make) -> None:
    shop = make_shop("undescribed")
    with pytest.raises(PluginError, match="'sick' failed in endpoints: the types of sick_odd cannot be described"):
        make_app(shop.instance)
    shop.sick.fault = ""
    with TestClient(make_app(shop.instance)) as client:
        assert "/api/-/sick/work" in client.get("/api/openapi.json").json()["paths"]


def test_pages_are_not_found_at_enterprises_that_have_not_switched_the_plugin_on(make_shop: Make) -> None:
    shop = make_shop("")
    with TestClient(make_app(shop.instance)) as client:

        def ask(name: str) -> int:
            return client.get(f"/-/sick/enterprises/shop/{name}").status_code

        assert (ask("mine"), ask("always")) == (200, 200)
        with shop.instance.store.write() as tx:
            disable_plugin(tx, shop.instance.hooks, "shop", "sick")
        assert (ask("mine"), ask("always")) == (404, 200)


def test_endpoints_are_not_found_at_enterprises_that_have_not_switched_the_plugin_on(make_shop: Make) -> None:
    shop = make_shop("")
    with shop.instance.store.write() as tx:
        new = new_person(email="o@example.org", name="Odile", password="a long enough password", language="en")
        owner = add_person(tx, new, confirmed=True)
        assert owner is not None
        membership = {"enterprise_id": "shop", "person_id": owner.id, "role": "owner", "since": tx.now}
        insert_rows(tx, enterprise_member, [membership])
        secret = make_token(tx, owner.id, name="test", scopes={"enterprise:read"}).secret
    headers = {"Authorization": f"Bearer {secret}"}
    with TestClient(make_app(shop.instance)) as client:

        def ask(name: str) -> int:
            return client.get(f"/api/-/sick/enterprises/shop/{name}", headers=headers).status_code

        assert (ask("mine"), ask("always")) == (200, 200)
        with shop.instance.store.write() as tx:
            disable_plugin(tx, shop.instance.hooks, "shop", "sick")
        assert (ask("mine"), ask("always")) == (404, 200)
