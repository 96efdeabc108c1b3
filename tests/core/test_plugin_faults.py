"""Whatever a plugin does wrong, in whichever hook: the order goes on or is refused, nothing is lost, and it is seen.

One test for each hook and each fault that it can have, through the way on which the core asks it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError, SoldOut
from commensal.base.ids import SeededIds
from commensal.cli import plugin_commands
from commensal.cli.check import report_plugins
from commensal.hooks import specifications
from commensal.hooks.answers import answer_problem
from commensal.hooks.aside import PluginPlace
from commensal.hooks.contract import AnyHook
from commensal.hooks.failures import failures_by_plugin
from commensal.hooks.loading import all_hooks, load_plugins, migration_folders
from commensal.instance import InstanceSettings
from commensal.interfaces.app import make_app
from commensal.interfaces.pages.visit import Visit
from commensal.interfaces.reports.run import reports_of
from commensal.operations.checks import broken_invariants
from commensal.operations.work import work_of
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job
from commensal.testing.probe import GOOD, Probe, World, build, shorten
from commensal.trade.catalogs.offers import set_price
from commensal.trade.enterprises.try_settings import try_settings
from commensal.trade.events.openings import announce_openings
from commensal.trade.orders.cancel import cancel_order
from commensal.trade.orders.change import change_order
from commensal.trade.orders.consents import consents_of
from commensal.trade.orders.fulfil import hand_order_over
from commensal.trade.orders.links import order_links
from commensal.trade.orders.lock import locked_order
from commensal.trade.orders.place import place_order
from commensal.trade.orders.quote import quote_order
from commensal.trade.orders.values import Order, Wish
from commensal.trade.payments.begin import start_payment
from commensal.trade.payments.methods import payment_methods
from commensal.trade.payments.payments import cancel_open, record_payment
from commensal.trade.payments.provider_refunds import refund_by_provider
from commensal.trade.payments.refunds import refund
from commensal.trade.payments.values import Payment
from commensal.trade.people.actor import Actor
from commensal.trade.people.tables import person
from commensal.trade.privacy.export import data_of
from commensal.trade.privacy.forgetting import forget_person
from commensal.trade.privacy.subject import subject_by_email
from commensal.trade.sale_sessions.clone import clone_coordination
from commensal.trade.sale_sessions.complete import complete_due
from commensal.trade.stock.movements import count_stock
from commensal.trade.stock.tables import stock_lot

NONE: Any = None

# ------------------------------------------------------------------------------------------------ what can go wrong


def faults_of(hook: AnyHook) -> Iterator[str]:
    contract = hook.contract
    yield "raises"
    yield "hangs"
    if answer_problem(hook, ["nonsense", 5]):
        yield "nonsense"
    if contract.where in ("startup", "transaction"):
        yield "coroutine"
    if contract.reads:
        yield "writes"


def cases(*where: str) -> list[Any]:
    return [
        pytest.param(hook, fault, id=f"{name}-{fault}")
        for name, hook in all_hooks().items()
        if hook.contract.where in where and name != "demo_data"
        for fault in faults_of(hook)
    ]


# ------------------------------------------------------------------------------------------------ how hooks are reached


def place(world: World) -> Order:
    wish = Wish(items={world.item: 2}, name="Ada", email="ada@example.org", shipping="probe:van")
    return world.instance.store.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))


def order_too_many(world: World) -> str:
    """What a customer is told who wants more than there is, when plugins were asked to bring it."""
    wish = Wish(items={world.item: 999}, name="Ada", email="ada@example.org", shipping="probe:van")
    with pytest.raises(SoldOut) as refused:
        world.instance.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))
    return str(refused.value)


def ordered(world: World) -> Order:
    """An order that was placed while the plugin was well."""
    sick, world.probe.sick = world.probe.sick, False
    order = place(world)
    run_jobs(world)
    world.probe.sick = sick
    return order


def on_order(world: World, act: Callable[[Transaction, Order], object]) -> object:
    order = ordered(world)
    return world.instance.store.transact(lambda tx: act(tx, locked_order(tx, order.id, enterprise_id="shop")))


def begun(world: World, order: Order | None = None) -> Payment:
    order = order or ordered(world)
    return start_payment(world.instance, order.id, "probe:card", f"pay {order.id}", "en")


def paid(world: World) -> Payment:
    payment = begun(world)
    return world.instance.store.transact(lambda tx: record_payment(tx, "shop", payment.id, person_id=None))


def write(world: World, act: Callable[[Transaction], object]) -> object:
    return world.instance.store.transact(act)


def read(world: World, act: Callable[[Transaction], object]) -> object:
    with world.instance.store.read() as tx:
        return act(tx)


def menu(world: World) -> list[str]:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
    visit = Visit(instance=world.instance, request=request, actor=Actor(), language="en", form={})
    return [item.label for item in visit._menu()]


def message(world: World) -> None:
    with TestClient(make_app(world.instance), raise_server_exceptions=False) as client:
        status = client.post("/-/probe/webhook/shop", content=b"{}").status_code
    if status == 500:
        raise PluginError("probe", "payment_webhook", "the provider was told to send it again")
    assert status == 200


def quote(world: World) -> object:
    """The ways to receive an order."""
    items = {world.item: 1}
    with world.instance.store.read() as tx:
        return quote_order(tx, world.hooks, "shop-session", items, language="en").shipping_options


def pay(world: World) -> None:
    """The plugin's failure is told to the customer; the payment is not made, and the order stays."""
    order = ordered(world)
    payment = begun(world, order)
    if payment.state != "Pending":
        assert payment.state in ("Failed", "Started")
        raise PluginError("probe", "start_payment", "the customer was asked to choose another way")


def close(world: World, clock: ManualClock) -> None:
    ordered(world)
    clock.advance(days=1, hours=1)
    write(world, complete_due)


def copy(world: World, clock: ManualClock) -> None:
    opens_at = clock.now() + timedelta(days=7)
    write(world, lambda tx: clone_coordination(tx, world.hooks, "shop-sale", "shop", opens_at))


def hand_over(world: World) -> object:
    ordered(world)
    return read(world, lambda tx: data_of(tx, world.hooks, subject_by_email(tx, "ada@example.org")))


def forget(world: World) -> object:
    """The order was cancelled while the plugin was well, so that nothing else stands against it."""
    sick, world.probe.sick = world.probe.sick, False
    on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order))
    run_jobs(world)
    world.probe.sick = sick
    return write(world, lambda tx: forget_person(tx, world.hooks, subject_by_email(tx, "ada@example.org"), years=10))


REACH: dict[str, Callable[[World, ManualClock], object]] = {
    "check_settings": lambda world, _: read(world, lambda tx: try_settings(tx, world.hooks, "shop", "probe", {})),
    "warnings": lambda world, _: report_plugins(world.instance),
    "menu_items": lambda world, _: menu(world),
    "order_links": lambda world, _: on_order(
        world, lambda tx, order: order_links(tx, world.hooks, order, "/orders/1", "en")
    ),
    "reports": lambda world, _: read(world, lambda tx: reports_of(tx, world.hooks, "shop", "en")),
    "person_data": lambda world, _: hand_over(world),
    "erase_person": lambda world, _: forget(world),
    "sale_copied": copy,
    "price_adjustments": lambda world, _: place(world),
    "settle_adjustments": lambda world, _: place(world),
    "order_problems": lambda world, _: place(world),
    "consent_requests": lambda world, _: on_order(world, lambda tx, order: consents_of(tx, world.hooks, order, "en")),
    "shipping_options": lambda world, _: quote(world),
    "book_shipping": lambda world, _: place(world),
    "release_shipping": lambda world, _: on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order)),
    "bring_stock": lambda world, _: order_too_many(world),
    "payment_methods": lambda world, _: payment_methods(world.instance, "shop", "en"),
    "start_payment": lambda world, _: pay(world),
    "payment_webhook": lambda world, _: message(world),
    "payment_status": lambda world, _: begun(world),
    "cancel_payment": lambda world, _: _begun_and_cancelled(world),
    "refund_payment": lambda world, _: _refunded(world),
    "order_placed": lambda world, _: place(world),
    "order_changed": lambda world, _: on_order(
        world, lambda tx, order: change_order(tx, world.hooks, order, items={world.item: 3})
    ),
    "order_cancelled": lambda world, _: on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order)),
    "order_fulfilled": lambda world, _: on_order(world, hand_order_over),
    "payment_received": lambda world, _: paid(world),
    "payment_refunded": lambda world, _: _given_back(world),
    "sale_opened": lambda world, _: write(world, announce_openings),
    "sale_completed": close,
    "stock_changed": lambda world, _: write(world, lambda tx: count_stock(tx, "shop", world.lot, Decimal(9))),
    "listing_changed": lambda world, _: write(world, lambda tx: set_price(tx, "shop", world.item, 999)),
}


ORDERED_BEFORE = ("consent_requests", "order_links", "person_data", "release_shipping", "start_payment")


def _begun_and_cancelled(world: World) -> None:
    order = ordered(world)
    begun(world, order)

    def cancel(tx: Transaction) -> None:
        cancel_order(tx, world.hooks, locked_order(tx, order.id, enterprise_id="shop"))
        cancel_open(tx, order.id)

    write(world, cancel)


def _refunded(world: World) -> None:
    payment = paid(world)
    run_jobs(world)
    refund_by_provider(world.instance, payment, payment.amount, key="back", anyway=True)


def _given_back(world: World) -> None:
    payment = paid(world)
    run_jobs(world)
    write(
        world,
        lambda tx: refund(
            tx, enterprise_id="shop", order_id=payment.order_id, method="probe:card", amount=1, idempotency_key="1",
            person_id=None, anyway=True,
        ),
    )  # fmt: skip


def run_jobs(world: World) -> None:
    while run_due(world.instance, work_of(world.instance)):
        pass


# ------------------------------------------------------------------------------------------------ what must be true


def nothing_is_lost(world: World) -> None:
    """Stock, numbers, totals and journals agree, and nobody has sneaked anything in."""
    with world.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        assert tx.value(select(func.count()).where(person.c.id == "sneaked")) == 0


def the_operator_sees(world: World, hook: AnyHook) -> None:
    world.hooks.flush_failures()
    with world.instance.store.read() as tx:
        failures = failures_by_plugin(tx)
    assert failures["probe"].hook == hook.name


def free(world: World) -> int:
    with world.instance.store.read() as tx:
        return int(tx.value(select(stock_lot.c.free).where(stock_lot.c.id == world.lot)))


Make = Callable[[AnyHook, str], World]


@pytest.fixture
def world(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    made: list[World] = []

    def make(hook: AnyHook, fault: str) -> World:
        if fault == "hangs":
            shorten(hook, monkeypatch)
        made.append(build(store, clock, ids, tmp_path, Probe(hook.name, fault)))
        return made[0]

    yield make
    for one in made:
        one.hooks.flush_failures()


@pytest.mark.parametrize(("hook", "fault"), cases("transaction", "outside"))
def test_what_is_asked_goes_on_or_is_refused_and_works_again_when_the_plugin_does(
    world: Make, clock: ManualClock, hook: AnyHook, fault: str
) -> None:
    made = world(hook, fault)
    reach = REACH[hook.name]
    before = free(made)
    goes_on = hook.contract.on_error == "skip" and not (fault == "hangs" and hook.contract.where == "transaction")
    if goes_on or hook.name == "menu_items":
        assert "probe" not in str(reach(made, clock)).lower()
    else:
        with pytest.raises(PluginError, match="'probe' failed in"):
            reach(made, clock)
        if hook.name not in ORDERED_BEFORE:
            assert free(made) == before
    nothing_is_lost(made)
    for left_behind in (thread for thread in threading.enumerate() if thread.name == "menu"):
        left_behind.join(30)  # the page has not waited for it
    the_operator_sees(made, hook)
    made.probe.sick = False
    reach(made, clock)
    nothing_is_lost(made)


@pytest.mark.parametrize(("hook", "fault"), cases("job"))
def test_a_job_comes_back_until_the_plugin_works(world: Make, clock: ManualClock, hook: AnyHook, fault: str) -> None:
    made = world(hook, fault)
    REACH[hook.name](made, clock)
    clock.advance(minutes=2)
    run_jobs(made)
    assert [said for said in waiting(made) if "probe" in said], "its promise is kept, with what went wrong"
    nothing_is_lost(made)
    the_operator_sees(made, hook)
    made.probe.sick = False
    clock.advance(minutes=30)
    run_jobs(made)
    assert not [said for said in waiting(made) if "probe" in said]
    nothing_is_lost(made)


def waiting(world: World) -> list[str]:
    with world.instance.store.read() as tx:
        return [row["error"] for row in tx.all(select(job.c.error).where(job.c.state == "waiting"))]


# ------------------------------------------------------------------------------------------------ at the start


def start(plugin: Probe, clock: ManualClock) -> None:
    """All that happens before an instance serves, without a database."""
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    hooks = load_plugins(settings, clock=clock, modules={"probe": plugin.module()})
    migration_folders(hooks)
    hooks.each(specifications.endpoints)
    hooks.each(specifications.jobs)
    hooks.each(specifications.routes, instance=NONE)
    hooks.each(specifications.fixed_routes, instance=NONE)
    hooks.each(specifications.dialects)
    hooks.each(specifications.demo_network, network=NONE)


STARTS = [case for case in cases("startup") if case.values[0].name != "commands"]


@pytest.mark.parametrize(("hook", "fault"), STARTS)
def test_a_start_fails_by_name_or_waits_and_says_for_whom(
    clock: ManualClock, hook: AnyHook, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Probe(hook.name, fault)
    if fault == "hangs":
        shorten(hook, monkeypatch)
        noted: list[str] = []

        def note(self: object, place: PluginPlace, what: str) -> None:
            noted.append(f"{place.plugin} {place.where}: {what}")
            probe.noted.set()

        monkeypatch.setattr("commensal.hooks.aside.FailureLog.note", note)
        start(probe, clock)
        assert noted == [f"probe {hook.name}: it took too long"]
        return
    with pytest.raises(PluginError, match=f"'probe' failed in {hook.name}"):
        start(probe, clock)
    probe.sick = False
    start(probe, clock)


@pytest.mark.parametrize("fault", ["raises", "coroutine"])
def test_commands_that_cannot_be_added_name_their_plugin(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe("commands", fault)

    class Point:
        def load(self) -> Any:
            return probe.module()

    monkeypatch.setattr(plugin_commands, "plugin_entry_points", lambda: {"probe": Point()})
    with pytest.raises(PluginError, match="'probe' failed in commands"):
        plugin_commands._commands_of_plugin("probe")


def test_the_demo_names_the_plugin_that_cannot_fill_its_part(world: Make) -> None:
    made = world(specifications.demo_data, "raises")
    with pytest.raises(PluginError, match="'probe' failed in demo_data"):
        write(made, lambda tx: made.hooks.each(specifications.demo_data, tx=tx, place=NONE))
    nothing_is_lost(made)


def test_no_hook_is_forgotten_here() -> None:
    assert set(GOOD) == set(all_hooks()), "commensal/testing/probe.py implements every hook"
    asked = {name for name, hook in all_hooks().items() if hook.contract.where != "startup"}
    assert set(REACH) == asked, "REACH says how the core comes to ask each"
