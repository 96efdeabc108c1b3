"""Whatever a plugin does wrong in any hook, the order goes on or is refused, nothing is lost, and the operator sees it.

One test for each hook and each fault that it can have, through the code of the core that calls the hook.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
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
from commensal.catalogs.offers import set_price
from commensal.enterprises.plugins import disable_plugin, enable_plugin
from commensal.hooks import specifications
from commensal.hooks.breaker import PluginPlace
from commensal.hooks.contract import AnyHook
from commensal.hooks.declared import declared_fields
from commensal.hooks.failures import failures_by_plugin
from commensal.hooks.loading import all_hooks, load_plugins, migration_folders
from commensal.hooks.running import answer_problem
from commensal.hooks.values import RoundsTask
from commensal.instance import InstanceSettings
from commensal.orders.cancel import cancel_coordination, cancel_order
from commensal.orders.change import change_order
from commensal.orders.consents import consents_of
from commensal.orders.fulfil import complete_due, hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.price import asks_for_codes
from commensal.orders.questions import order_links
from commensal.orders.quote import quote_order
from commensal.orders.values import Order, Wish
from commensal.parts.accounts.log_in_elsewhere import come_back, leave_for_provider, log_out_url
from commensal.parts.checks import broken_invariants
from commensal.parts.cli import commands
from commensal.parts.cli.check import report_plugins
from commensal.parts.copies.homes import refuse_leaving
from commensal.parts.distribution import weight_rules_of_session
from commensal.parts.event_delivery.tell import announce_low_stock, announce_openings
from commensal.parts.mail.placeholders import fill_placeholders
from commensal.parts.mail.render import mail_parts
from commensal.parts.membership.geocoding import find_place
from commensal.parts.monitoring.health import plugin_reasons
from commensal.parts.order_corrections.reprice import next_threshold
from commensal.parts.pages import plugin_thread
from commensal.parts.pages.added import page_parts
from commensal.parts.pages.visit import Visit
from commensal.parts.privacy.export import data_of, subject_by_email
from commensal.parts.privacy.forgetting import forget_person
from commensal.parts.reports.run import names_of_adjustments, reports_of
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.parts.setup.settings import try_settings
from commensal.parts.supply.books import payment_holds
from commensal.parts.supply.demand import demand_of_supplier
from commensal.parts.supply.demand_shaping import shapings_of
from commensal.parts.supply.passed_cut_offs import close
from commensal.parts.supply.purchase_orders import tell_supplier
from commensal.parts.supply.rounds import ask_distances, ask_planners, cost_rules
from commensal.parts.till.crediting import credit_customer, credit_targets
from commensal.parts.till.provider_refunds import refund_by_provider
from commensal.payments.begin import start_payment
from commensal.payments.methods import payment_methods
from commensal.payments.payments import cancel_open, fail_payment, record_payment
from commensal.payments.refunds import refund
from commensal.payments.values import Payment
from commensal.people.actor import Actor
from commensal.people.people import add_person, new_person
from commensal.people.tables import person
from commensal.pricing.values import Address
from commensal.products.products import archive_product
from commensal.products.questions import products_of
from commensal.sale_sessions.questions import sale_by_id
from commensal.sale_sessions.sessions import change_session
from commensal.stock.lots import change_lot
from commensal.stock.movements import count_stock
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job
from commensal.testing.probe import GOOD, Probe, World, build, shorten

from .processes import wait_until

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


def place_probe_order(world: World, pieces: int = 2) -> Order:
    wish = Wish(items={world.item: pieces}, name="Ada", email="ada@example.org", shipping="probe:van")
    return world.instance.store.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))


def order_too_much(world: World) -> str:
    """Orders more than the shop has and returns the error, after plugins were asked to bring stock."""
    wish = Wish(items={world.item: 999}, name="Ada", email="ada@example.org", shipping="probe:van")
    with pytest.raises(SoldOut) as error:
        world.instance.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))
    return str(error.value)


def order_while_well(world: World) -> Order:
    """Places an order while the plugin works, and returns it."""
    sick, world.probe.sick = world.probe.sick, False
    order = place_probe_order(world)
    run_jobs(world)
    world.probe.sick = sick
    return order


def act_on_order(world: World, act: Callable[[Transaction, Order], object]) -> object:
    order = order_while_well(world)
    return world.instance.store.transact(lambda tx: act(tx, locked_order(tx, order.id, enterprise_id="shop")))


def begin_probe_payment(world: World, order: Order | None = None) -> Payment:
    order = order or order_while_well(world)
    return start_payment(world.instance, order.id, "probe:card", f"pay {order.id}", "en")


def receive_probe_payment(world: World) -> Payment:
    payment = begin_probe_payment(world)
    return world.instance.store.transact(lambda tx: record_payment(tx, "shop", payment.id, person_id=None))


def in_write(world: World, act: Callable[[Transaction], object]) -> object:
    return world.instance.store.transact(act)


def in_read(world: World, act: Callable[[Transaction], object]) -> object:
    with world.instance.store.read() as tx:
        return act(tx)


def menu_labels(world: World) -> list[str]:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
    visit = Visit(instance=world.instance, request=request, actor=Actor(), language="en", form={})
    return [item.label for item in visit._menu()]


def post_webhook(world: World) -> None:
    with TestClient(make_app(world.instance), raise_server_exceptions=False) as client:
        status = client.post("/-/probe/webhook/shop", content=b"{}").status_code
    if status == 500:
        raise PluginError("probe", "payment_webhook", "the provider was told to send it again")
    assert status == 200


def quote_shipping(world: World) -> object:
    """Returns the shipping options of a quote."""
    items = {world.item: 1}
    with world.instance.store.read() as tx:
        return quote_order(tx, world.hooks, "shop-session", items, language="en").shipping_options


def ask_thresholds(world: World) -> object:
    with world.instance.store.read() as tx:
        offered = quote_order(tx, world.hooks, "shop-session", {world.item: 1}, language="en")
        return next_threshold(tx, world.hooks, offered, "en")


def rules_of_probe_order(world: World, _: object) -> object:
    """Asks for the rules of an order whose goods are sold by weight."""
    order = order_while_well(world)
    lines = {order.id: [replace(line, weighed=True) for line in order.lines]}
    return in_read(world, lambda tx: weight_rules_of_session(tx, world.hooks, order.session_id, lines))


def begin_payment_as_customer(world: World) -> None:
    """Begins a payment. A failure of the plugin reaches the customer; only the order stays."""
    order = order_while_well(world)
    payment = begin_probe_payment(world, order)
    if payment.state != "Pending":
        assert payment.state in ("Failed", "Started")
        raise PluginError("probe", "start_payment", "the customer was asked to choose another way")


def close_sale(world: World, clock: ManualClock) -> None:
    order_while_well(world)
    clock.advance(days=1, hours=1)
    in_write(world, complete_due)


def tell_supplier_of_probe(world: World, clock: ManualClock) -> object:
    """Tells the shop what to bring to its own sale, which leads to the question whether the plugin does so."""
    order_while_well(world)

    def tell(tx: Transaction) -> object:
        close(tx, [("shop-session", "shop")])
        return tell_supplier(tx, world.hooks, "shop-session", "shop")

    return in_write(world, tell)


def look_at_shaped_demand(world: World, clock: ManualClock) -> object:
    """Looks at what plugins would order instead, as the page does and the job that tells the supplier."""
    order_while_well(world)
    return in_read(world, lambda tx: shapings_of(tx, world.hooks, "shop", "shop-session", ["shop"]))


def copy_sale(world: World, clock: ManualClock) -> None:
    opens_at = clock.now() + timedelta(days=7)
    in_write(world, lambda tx: clone_coordination(tx, world.hooks, "shop-sale", "shop", opens_at))


def move_sale(world: World, clock: ManualClock) -> None:
    with world.instance.store.read() as tx:
        later = sale_by_id(tx, "shop-session").session.ends_at + timedelta(hours=1)
    in_write(world, lambda tx: change_session(tx, world.hooks, "shop-session", "shop", 1, ends_at=later))


def cancel_copy_of_sale(world: World, clock: ManualClock) -> None:
    def cancel(tx: Transaction) -> None:
        sale = clone_coordination(tx, world.hooks, "shop-sale", "shop", clock.now() + timedelta(days=7))
        cancel_coordination(tx, sale.id, "shop", sale.version)

    in_write(world, cancel)


def export_customer(world: World) -> object:
    order_while_well(world)
    return in_read(world, lambda tx: data_of(tx, world.hooks, subject_by_email(tx, world.hooks, "ada@example.org")))


def forget_customer(world: World) -> object:
    """Cancels the order while the plugin works, so that nothing else prevents erasing."""
    sick, world.probe.sick = world.probe.sick, False
    act_on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order))
    run_jobs(world)
    world.probe.sick = sick
    return in_write(
        world, lambda tx: forget_person(tx, world.hooks, subject_by_email(tx, world.hooks, "ada@example.org"), years=10)
    )


def log_in_elsewhere(world: World) -> str:
    """Goes to the probe's provider and comes back. Returns the subject of the identity that it proves."""
    place = {"back": "http://testserver/login/with/probe/main/back", "language": "en"}
    departure = leave_for_provider(world.instance, "probe:main", **place)
    answer = {"state": departure.url.partition("state=")[2], "code": "ada"}
    return come_back(world.instance, "probe:main", departure.secret, answer, **place)[1].subject


def parts_of_the_week(world: World) -> object:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
    visit = Visit(instance=world.instance, request=request, actor=Actor(), language="en", form={})
    return in_read(world, lambda tx: page_parts(tx, visit, "week", "shop", frozenset()))


NOTHING_TO_DRIVE = RoundsTask(metres=(), seconds=(), service=0, vehicles=(), loads=())
REACH: dict[str, Callable[[World, ManualClock], object]] = {
    "check_settings": lambda world, _: in_read(world, lambda tx: try_settings(tx, world.instance, "shop", "probe", {})),
    "switched_on": lambda world, _: _switch_off_and_on(world),
    "switched_off": lambda world, _: _switch_off_and_on(world),
    "move_obstacles": lambda world, _: in_read(world, lambda tx: refuse_leaving(tx, world.hooks, "shop")),
    "warnings": lambda world, _: report_plugins(world.instance),
    "invariants": lambda world, _: in_read(world, lambda tx: broken_invariants(tx, world.hooks)),
    "health_reasons": lambda world, _: list(plugin_reasons(world.instance)),
    "menu_items": lambda world, _: menu_labels(world),
    "credit_target": lambda world, _: in_read(
        world, lambda tx: [target.plugin for target in credit_targets(tx, world.hooks, "shop", "ada", "en")]
    ),
    "credit_customer": lambda world, _: in_write(
        world, lambda tx: credit_customer(tx, world.hooks, "shop", "ada", "probe", 500, note="rest", person_id=None)
    ),
    "page_parts": lambda world, _: parts_of_the_week(world),
    "payment_holds": lambda world, _: in_read(world, lambda tx: payment_holds(tx, world.hooks, "shop", "shop-session")),
    "mail_parts": lambda world, _: _parts_of_mail(world),
    "placeholder_values": lambda world, _: fill_placeholders(
        world.instance, order_while_well(world), "order_placed", "en", "Word: {probe_word}"
    ),
    "order_links": lambda world, _: act_on_order(
        world, lambda tx, order: order_links(tx, world.hooks, order, "/orders/1", "en")
    ),
    "reports": lambda world, _: in_read(world, lambda tx: reports_of(tx, world.hooks, "shop", "en")),
    "person_data": lambda world, _: export_customer(world),
    "erase_person": lambda world, _: forget_customer(world),
    "start_log_in": lambda world, _: log_in_elsewhere(world),
    "prove_identity": lambda world, _: log_in_elsewhere(world),
    "log_out_elsewhere": lambda world, _: log_out_url(
        world.instance, "probe:main", back="http://testserver/", language="en"
    ),
    "sale_copied": copy_sale,
    "sale_moved": move_sale,
    "demand_elsewhere": lambda world, _: in_read(world, lambda tx: demand_of_supplier(tx, world.hooks, "shop")),
    "ordered_by_plugin": tell_supplier_of_probe,
    "demand_shaping": look_at_shaped_demand,
    "plan_rounds": lambda world, _: ask_planners(world.instance, NOTHING_TO_DRIVE),
    "geocode": lambda world, _: find_place(world.instance, Address(city="Tours", country="FR")),
    "distances": lambda world, _: ask_distances(world.instance, []),
    "share_costs": lambda world, _: in_read(world, lambda tx: cost_rules(tx, world.hooks, "en")),
    "price_adjustments": lambda world, _: place_probe_order(world),
    "order_thresholds": lambda world, _: ask_thresholds(world),
    "weight_rules": rules_of_probe_order,
    "takes_codes": lambda world, _: in_read(world, lambda tx: asks_for_codes(tx, world.hooks, "shop")),
    "adjustment_names": lambda world, _: in_read(world, lambda tx: names_of_adjustments(tx, world.hooks, "shop", "en")),
    "settle_adjustments": lambda world, _: place_probe_order(world),
    "order_problems": lambda world, _: place_probe_order(world),
    "order_changing": lambda world, _: place_probe_order(world),
    "consent_requests": lambda world, _: act_on_order(
        world, lambda tx, order: consents_of(tx, world.hooks, order, "en")
    ),
    "shipping_options": lambda world, _: quote_shipping(world),
    "book_shipping": lambda world, _: place_probe_order(world),
    "release_shipping": lambda world, _: act_on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order)),
    "bring_stock": lambda world, _: order_too_much(world),
    "payment_methods": lambda world, _: payment_methods(world.instance, "shop", "en"),
    "start_payment": lambda world, _: begin_payment_as_customer(world),
    "pay_from_credit": lambda world, _: act_on_order(
        world, lambda tx, order: change_order(tx, world.hooks, order, items={world.item: 3}).total
    ),
    "payment_webhook": lambda world, _: post_webhook(world),
    "payment_status": lambda world, _: begin_probe_payment(world),
    "cancel_payment": lambda world, _: _begin_and_cancel_payment(world),
    "refund_payment": lambda world, _: _refund_through_provider(world),
    "send_notice": lambda world, _: _order_with_notices(world),
    "order_placed": lambda world, _: place_probe_order(world),
    "order_changed": lambda world, _: act_on_order(
        world, lambda tx, order: change_order(tx, world.hooks, order, items={world.item: 3})
    ),
    "order_cancelled": lambda world, _: act_on_order(world, lambda tx, order: cancel_order(tx, world.hooks, order)),
    "order_fulfilled": lambda world, _: act_on_order(world, hand_order_over),
    "order_paid": lambda world, _: receive_probe_payment(world),
    "customer_created": lambda world, _: place_probe_order(world),
    "payment_received": lambda world, _: receive_probe_payment(world),
    "payment_refunded": lambda world, _: _record_refund(world),
    "payment_failed": lambda world, _: _begin_and_fail_payment(world),
    "sale_planned": copy_sale,
    "sale_cancelled": cancel_copy_of_sale,
    "sale_opened": lambda world, _: in_write(world, announce_openings),
    "sale_completed": close_sale,
    "stock_changed": lambda world, _: in_write(world, lambda tx: count_stock(tx, "shop", world.lot, Decimal(9))),
    "stock_low": lambda world, _: in_write(world, _run_low),
    "sold_out": lambda world, _: place_probe_order(world, 10),
    "product_changed": lambda world, _: in_write(world, _archive_product),
    "listing_changed": lambda world, _: in_write(world, lambda tx: set_price(tx, "shop", world.item, 999)),
}


ORDERED_BEFORE = (
    "consent_requests",
    "demand_shaping",
    "order_links",
    "ordered_by_plugin",
    "pay_from_credit",
    "person_data",
    "release_shipping",
    "start_payment",
    "weight_rules",
)


def _parts_of_mail(world: World) -> object:
    return mail_parts(world.instance, order_while_well(world), "order_placed", "en")


def _switch_off_and_on(world: World) -> None:
    def switch(tx: Transaction) -> None:
        disable_plugin(tx, world.hooks, "shop", "probe")
        enable_plugin(tx, world.hooks, "shop", "probe", {})

    in_write(world, switch)


def _order_with_notices(world: World) -> None:
    new = new_person(email="ada@example.org", name="Ada", password="a long enough password", language="en")
    wish = Wish(
        items={world.item: 2}, name="Ada", email="ada@example.org", shipping="probe:van", consents=("probe:notices",)
    )
    with world.instance.store.write() as tx:
        ada = add_person(tx, new, confirmed=True)
        assert ada is not None
        place_order(tx, world.hooks, "shop-session", wish, person_id=ada.id)


def _run_low(tx: Transaction) -> None:
    (stocked,) = products_of(tx, "shop")
    change_lot(tx, "shop", stocked.lot.id, stocked.lot.version, low_level=Decimal(10))
    announce_low_stock(tx)


def _archive_product(tx: Transaction) -> None:
    (stocked,) = products_of(tx, "shop")
    archive_product(tx, "shop", stocked.product.id, stocked.product.version)


def _begin_and_cancel_payment(world: World) -> None:
    order = order_while_well(world)
    begin_probe_payment(world, order)

    def cancel(tx: Transaction) -> None:
        cancel_order(tx, world.hooks, locked_order(tx, order.id, enterprise_id="shop"))
        cancel_open(tx, order.id)

    in_write(world, cancel)


def _begin_and_fail_payment(world: World) -> None:
    begun = begin_probe_payment(world, order_while_well(world))
    in_write(world, lambda tx: fail_payment(tx, "shop", begun.id))


def _refund_through_provider(world: World) -> None:
    payment = receive_probe_payment(world)
    run_jobs(world)
    refund_by_provider(world.instance, payment, payment.amount, key="back", anyway=True)


def _record_refund(world: World) -> None:
    payment = receive_probe_payment(world)
    run_jobs(world)
    in_write(
        world,
        lambda tx: refund(
            tx,
            enterprise_id="shop",
            order_id=payment.order_id,
            method="probe:card",
            amount=1,
            idempotency_key="1",
            person_id=None,
            anyway=True,
        ),
    )


def run_jobs(world: World) -> None:
    while run_due(world.instance, work_of(world.instance)):
        pass


# ------------------------------------------------------------------------------------------------ what must be true


def assert_nothing_lost(world: World) -> None:
    """Stock, numbers, totals and journals agree, and no plugin has sneaked a row in."""
    with world.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        assert tx.value(select(func.count()).where(person.c.id == "sneaked")) == 0


def assert_operator_sees(world: World, hook: AnyHook) -> None:
    world.hooks.flush_failures()
    with world.instance.store.read() as tx:
        failures = failures_by_plugin(tx)
    assert failures["probe"].hook == hook.name


def free_stock(world: World) -> int:
    with world.instance.store.read() as tx:
        return int(tx.value(select(stock_lot.c.free).where(stock_lot.c.id == world.lot)))


Make = Callable[[AnyHook, str], World]


@pytest.fixture
def make_world(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    worlds: list[World] = []

    def make(hook: AnyHook, fault: str) -> World:
        if fault == "hangs":
            shorten(hook, monkeypatch)
        worlds.append(build(store, clock, ids, tmp_path, Probe(hook.name, fault)))
        return worlds[0]

    yield make
    for world in worlds:
        world.hooks.flush_failures()


def nobody_works_beside_a_page() -> bool:
    return all(thread.name != plugin_thread.WORKING for thread in threading.enumerate())


@pytest.mark.parametrize(("hook", "fault"), cases("transaction", "outside"))
def test_what_is_asked_goes_on_or_is_refused_and_works_again_when_the_plugin_does(
    make_world: Make, clock: ManualClock, hook: AnyHook, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(hook, fault)
    reach = REACH[hook.name]
    before = free_stock(world)
    takes_transaction = fault == "hangs" and hook.contract.where == "transaction"
    goes_on = hook.contract.on_error in ("skip", "undo") and not takes_transaction
    if goes_on or hook.name in ("menu_items", "health_reasons", "mail_parts", "placeholder_values"):
        assert "probe" not in str(reach(world, clock)).lower()
    else:
        with pytest.raises(PluginError, match="'probe' failed in"):
            reach(world, clock)
        if hook.name not in ORDERED_BEFORE:
            assert free_stock(world) == before
    assert_nothing_lost(world)
    wait_until(nobody_works_beside_a_page, "threads end that pages did not wait for")
    assert_operator_sees(world, hook)
    world.probe.sick = False
    monkeypatch.undo()  # the shortened limit: on a busy machine, a plugin that works might exceed it
    reach(world, clock)
    assert_nothing_lost(world)


@pytest.mark.parametrize(("hook", "fault"), cases("job"))
def test_a_job_comes_back_until_the_plugin_works(
    make_world: Make, clock: ManualClock, hook: AnyHook, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(hook, fault)
    REACH[hook.name](world, clock)
    clock.advance(minutes=2)
    run_jobs(world)
    assert [error for error in errors_of_waiting_jobs(world) if "probe" in error], "the job stays, with its error"
    assert_nothing_lost(world)
    assert_operator_sees(world, hook)
    world.probe.sick = False
    monkeypatch.undo()
    clock.advance(minutes=30)
    run_jobs(world)
    assert not [error for error in errors_of_waiting_jobs(world) if "probe" in error]
    assert_nothing_lost(world)


def errors_of_waiting_jobs(world: World) -> list[str]:
    with world.instance.store.read() as tx:
        return [row["error"] for row in tx.all(select(job.c.error).where(job.c.state == "waiting"))]


# ------------------------------------------------------------------------------------------------ at the start


def run_startup_hooks(plugin: Probe, clock: ManualClock) -> None:
    """Calls the hooks that run before an instance serves, without a database."""
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    hooks = load_plugins(settings, clock=clock, modules={"probe": plugin.module()})
    migration_folders(hooks)
    hooks.each(specifications.message_types)
    hooks.each(specifications.peer_documents)
    hooks.each(specifications.scopes)
    hooks.each(specifications.roles)
    hooks.each(specifications.mail_kinds)
    hooks.each(specifications.mail_placeholders)
    hooks.each(specifications.endpoints)
    hooks.each(specifications.jobs)
    hooks.each(specifications.routes, instance=NONE)
    hooks.each(specifications.fixed_routes, instance=NONE)
    hooks.each(specifications.dialects)
    hooks.each(specifications.office_pages)
    hooks.each(specifications.act_kinds)
    hooks.each(specifications.shop_pages)
    hooks.each(specifications.identity_providers)
    hooks.each(specifications.demo_network, network=NONE)


FIELD_HOOKS = ("product_fields", "order_fields", "customer_fields")
STARTS = [case for case in cases("startup") if case.values[0].name not in ("commands", *FIELD_HOOKS)]


@pytest.mark.parametrize(("hook", "fault"), STARTS)
def test_a_start_fails_by_name_or_waits_and_says_for_whom(
    clock: ManualClock, hook: AnyHook, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Probe(hook.name, fault)
    if fault == "hangs":
        shorten(hook, monkeypatch)
        failures: list[str] = []

        def note(self: object, place: PluginPlace, what: str) -> None:
            failures.append(f"{place.plugin} {place.where}: {what}")
            probe.noted.set()

        monkeypatch.setattr("commensal.hooks.breaker.FailureLog.note", note)
        run_startup_hooks(probe, clock)
        assert failures == [f"probe {hook.name}: it took too long"]
        return
    with pytest.raises(PluginError, match=f"'probe' failed in {hook.name}"):
        run_startup_hooks(probe, clock)
    probe.sick = False
    run_startup_hooks(probe, clock)


@pytest.mark.parametrize("fault", ["raises", "nonsense"])
@pytest.mark.parametrize("hook", FIELD_HOOKS)
def test_an_instance_starts_without_the_fields_of_a_plugin_that_fails(
    clock: ManualClock, hook: str, fault: str
) -> None:
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    hooks = load_plugins(settings, clock=clock, modules={"probe": Probe(hook, fault).module()})
    declared = declared_fields(hooks)
    assert [*declared.products, *declared.orders, *declared.customers] == []
    assert [(failure.plugin, failure.hook) for failure in hooks.failures] == [("probe", hook)]


@pytest.mark.parametrize("fault", ["raises", "coroutine"])
def test_commands_that_cannot_be_added_name_their_plugin(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe("commands", fault)

    class Point:
        def load(self) -> Any:
            return probe.module()

    monkeypatch.setattr(commands, "plugin_entry_points", lambda: {"probe": Point()})
    with pytest.raises(PluginError, match="'probe' failed in commands"):
        commands._commands_of_plugin("probe")


def test_the_demo_names_the_plugin_that_cannot_fill_its_part(make_world: Make) -> None:
    world = make_world(specifications.demo_data, "raises")
    with pytest.raises(PluginError, match="'probe' failed in demo_data"):
        in_write(world, lambda tx: world.hooks.each(specifications.demo_data, tx=tx, place=NONE))
    assert_nothing_lost(world)


def test_no_hook_is_forgotten_here() -> None:
    assert set(GOOD) == set(all_hooks()), "commensal/testing/probe.py implements every hook"
    expected = {name for name, hook in all_hooks().items() if hook.contract.where != "startup"}
    assert set(REACH) == expected, "REACH says how the core comes to ask each"
