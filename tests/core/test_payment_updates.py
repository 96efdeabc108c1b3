"""Messages of providers about payments apply in any order; contradictory ones are kept for a person to look at."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Refused
from commensal.base.ids import SeededIds
from commensal.enterprises.plugins import disable_plugin
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import PaymentMethod, PaymentStart, PaymentUpdate, WebhookRequest
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.orders.tables import customer_order
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.parts.till.provider_refunds import refund_by_provider
from commensal.payments.begin import start_payment
from commensal.payments.due import due
from commensal.payments.journal import journal_entries
from commensal.payments.payments import INTERVALS, STATUS, cancel, payment_by_id
from commensal.payments.problems import problems_of
from commensal.payments.providers import check_payment_status
from commensal.payments.tables import payment as table
from commensal.payments.values import Payment
from commensal.storage.database import Store
from commensal.storage.jobs import Job
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_placed_order, a_shop

_keys = itertools.count()
Status = Callable[[Payment], PaymentUpdate | None]


class Psp:
    """A provider. Its messages carry a state and a payment's id; `status` and `refund` are its answers to requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.start: Callable[[], PaymentStart] = lambda: PaymentStart(text="Pay.", reference="r1")
        self.status: Status = lambda payment: None
        self.refund: Callable[[Payment], PaymentUpdate] = lambda refund: payment_update(refund, "Done")
        self.updates: list[PaymentUpdate] = []

    def module(self) -> ModuleType:
        def payment_webhook(request: WebhookRequest) -> list[PaymentUpdate]:
            if request.headers.get("signature") != "good":
                raise Refused("signature", "No.")
            return self.updates

        def payment_status(payment: Payment) -> PaymentUpdate | None:
            self.asked.append(payment.id)
            return self.status(payment)

        module: Any = ModuleType("psp")
        module.payment_methods = hookimpl(lambda: [PaymentMethod(id="card", label="Card")])
        module.start_payment = hookimpl(lambda: self.start())
        module.payment_webhook, module.payment_status = hookimpl(payment_webhook), hookimpl(payment_status)
        module.refund_payment = hookimpl(lambda refund: self.refund(refund))
        return module  # type: ignore[no-any-return]


def payment_update(payment: Payment, state: Any, **kwargs: Any) -> PaymentUpdate:
    values = {"payment_id": payment.id, "amount": payment.amount, "currency": payment.currency}
    return PaymentUpdate(state=state, **{**values, **kwargs})


@pytest.fixture
def psp() -> Psp:
    return Psp()


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, psp: Psp) -> Iterator[Instance]:
    """A shop with an order of 10.00, and another shop; both use the plugin `psp`."""
    limits = LimitSettings(webhooks=50)
    settings = InstanceSettings(name="Test", base_url="http://testserver", limits=limits, plugins={"enabled": ["psp"]})
    hooks = load_plugins(settings, clock=clock, modules={"psp": psp.module()})
    with store.write() as tx:
        for shop in ("shop", "other"):
            a_shop(tx, shop)
            row: dict[str, Any] = {"enterprise_id": shop, "plugin": "psp", "settings": {}, "version": 1}
            tx.execute(insert(enterprise_plugin).values(row))
        a_placed_order(tx, id="order", total=1000)
    instance = Instance(tmp_path, settings, store, hooks, clock, ids)
    yield instance
    instance.hooks.flush_failures()


@pytest.fixture
def client(instance: Instance) -> Iterator[TestClient]:
    with TestClient(make_app(instance), raise_server_exceptions=False) as client:
        yield client


def begin_payment(instance: Instance) -> Payment:
    return start_payment(instance, "order", "psp:card", f"key {next(_keys)}", "en")


def post_webhook(
    client: TestClient, psp: Psp, *updates: PaymentUpdate, shop: str = "shop", signature: str = "good"
) -> int:
    psp.updates = list(updates)
    return client.post(f"/-/psp/webhook/{shop}", content=b"{}", headers={"Signature": signature}).status_code


def state_of(instance: Instance, payment: Payment) -> str:
    with instance.store.read() as tx:
        return payment_by_id(tx, "shop", payment.id).state


def journal_amounts(instance: Instance) -> list[int]:
    with instance.store.read() as tx:
        return [entry.amount for entry in journal_entries(tx, "shop")]


def problem_codes(instance: Instance, shop: str = "shop") -> list[str]:
    with instance.store.read() as tx:
        return [problem.code for problem in problems_of(tx, shop)]


def count_waiting_jobs(instance: Instance, kind: str) -> int:
    with instance.store.read() as tx:
        return int(tx.value(select(func.count()).where(job.c.kind == kind, job.c.state == "waiting")))


@pytest.mark.parametrize("messages", list(itertools.permutations(("Pending", "Done", "Failed", "Cancelled"))))
def test_money_wins_over_whatever_else_is_said(
    instance: Instance, client: TestClient, psp: Psp, messages: tuple[str, ...]
) -> None:
    payment = begin_payment(instance)
    assert post_webhook(client, psp, *(payment_update(payment, message, reference="r2") for message in messages)) == 200
    assert (state_of(instance, payment), journal_amounts(instance)) == ("Done", [1000])


def test_a_payment_that_has_ended_is_not_brought_back_by_words(
    instance: Instance, client: TestClient, psp: Psp
) -> None:
    payment = begin_payment(instance)
    for message, expected in (("Failed", "Failed"), ("Pending", "Failed"), ("Cancelled", "Failed")):
        post_webhook(client, psp, payment_update(payment, message))
        assert state_of(instance, payment) == expected
    assert journal_amounts(instance) == []


def test_what_cannot_be_true_is_kept_once_and_not_applied(instance: Instance, client: TestClient, psp: Psp) -> None:
    payment = begin_payment(instance)
    for update, code in (
        (payment_update(payment, "Done", amount=999), "other_amount"),
        (payment_update(payment, "Done", currency="USD"), "other_currency"),
        (payment_update(payment, "Done", payment_id="nothing"), "unknown_payment"),
    ):
        assert [post_webhook(client, psp, update) for _ in range(3)] == [200] * 3
        assert problem_codes(instance)[-1] == code
    assert (state_of(instance, payment), journal_amounts(instance), len(problem_codes(instance))) == ("Pending", [], 3)


def test_a_shop_cannot_move_the_payment_of_another(instance: Instance, client: TestClient, psp: Psp) -> None:
    payment = begin_payment(instance)
    assert post_webhook(client, psp, payment_update(payment, "Done"), shop="other") == 200
    assert (state_of(instance, payment), problem_codes(instance, "other")) == ("Pending", ["unknown_payment"])


def test_a_plugin_cannot_move_the_payment_of_another_plugin(instance: Instance, client: TestClient, psp: Psp) -> None:
    with instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="cash", settings={}, version=1))
    payment = begin_payment(instance)
    with instance.store.write() as tx:
        tx.execute(table.update().values(method="cash:cash"))
    post_webhook(client, psp, payment_update(payment, "Done"))
    assert (journal_amounts(instance), problem_codes(instance)) == ([], ["unknown_payment"])


def test_an_unsigned_message_is_told_nothing_and_a_fault_is_sent_again(
    instance: Instance, client: TestClient, psp: Psp
) -> None:
    payment = begin_payment(instance)
    assert post_webhook(client, psp, payment_update(payment, "Done"), signature="bad") == 400
    assert post_webhook(client, psp, "nonsense") == 500  # type: ignore[arg-type]
    assert (state_of(instance, payment), problem_codes(instance)) == ("Pending", [])
    with instance.store.write() as tx:
        disable_plugin(tx, instance.hooks, "shop", "psp")
    assert post_webhook(client, psp, payment_update(payment, "Done")) == 404


def test_messages_have_a_rate_of_their_own(client: TestClient, psp: Psp) -> None:
    assert [post_webhook(client, psp, signature="bad") for _ in range(51)] == [400] * 50 + [429]
    assert client.get("/api/openapi.json").status_code == 200


def test_a_payment_is_asked_about_ever_more_rarely_and_then_no_more(
    instance: Instance, clock: ManualClock, psp: Psp
) -> None:
    begin_payment(instance)
    times = []
    for _ in range(14 * 8):
        before = len(psp.asked)
        tick(instance, work_of(instance))
        if len(psp.asked) > before:
            times.append(clock.now())
        clock.advance(hours=3)
    assert len(psp.asked) == len(INTERVALS)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == timedelta(hours=24)
    assert count_waiting_jobs(instance, STATUS) == 0


def test_a_job_that_is_handed_over_twice_does_not_ask_twice_for_ever(
    instance: Instance, clock: ManualClock, psp: Psp
) -> None:
    payment = begin_payment(instance)
    payload = {"enterprise_id": "shop", "payment_id": payment.id, "asked": 0}
    for _ in range(3):
        check_payment_status(instance, Job("j", STATUS, payload, 1))
    assert count_waiting_jobs(instance, STATUS) == 2  # the first, which has not run here, and one that follows


def test_asking_and_messages_together_are_one_entry(
    instance: Instance, client: TestClient, clock: ManualClock, psp: Psp
) -> None:
    payment = begin_payment(instance)
    psp.status = lambda payment: payment_update(payment, "Done")
    post_webhook(client, psp, payment_update(payment, "Done"))
    clock.advance(days=1)
    tick(instance, work_of(instance))
    assert (journal_amounts(instance), psp.asked, count_waiting_jobs(instance, STATUS)) == ([1000], [], 0)


def test_a_failed_payment_is_asked_about_for_a_while(instance: Instance, clock: ManualClock, psp: Psp) -> None:
    """Perhaps only the answer was lost."""

    def hang() -> PaymentStart:
        raise TimeoutError

    psp.start = hang
    payment = begin_payment(instance)
    psp.status = lambda payment: payment_update(payment, "Done") if len(psp.asked) == 3 else None
    for _ in range(3):
        clock.advance(minutes=30)
        tick(instance, work_of(instance))
    assert (state_of(instance, payment), journal_amounts(instance)) == ("Done", [1000])


def test_a_provider_that_contradicts_itself_about_a_refund_is_not_believed(
    instance: Instance, client: TestClient, psp: Psp
) -> None:
    payment = begin_payment(instance)
    post_webhook(client, psp, payment_update(payment, "Done"))
    refund = refund_by_provider(instance, payment, 400, key="one", anyway=True)
    assert refund is not None
    assert refund_by_provider(instance, payment, 400, key="one", anyway=True) == refund
    tick(instance, work_of(instance))
    assert (state_of(instance, refund), journal_amounts(instance)) == ("Done", [1000, -400])
    post_webhook(client, psp, payment_update(refund, "Failed"))
    assert (state_of(instance, refund), journal_amounts(instance)) == ("Done", [1000, -400])
    assert problem_codes(instance) == ["refund_contradicted"]


def test_money_that_comes_for_a_cancelled_order_is_owed(instance: Instance, client: TestClient, psp: Psp) -> None:
    payment = begin_payment(instance)
    with instance.store.write() as tx:
        cancel(tx, "shop", payment.id)
        tx.execute(customer_order.update().values(state="Cancelled"))
    psp.refund = lambda refund: replace(payment_update(refund, "Failed"), text="No.")
    post_webhook(client, psp, payment_update(payment, "Done"))
    tick(instance, work_of(instance))
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == -1000
    assert problem_codes(instance) == ["owed", "refund_failed"]
